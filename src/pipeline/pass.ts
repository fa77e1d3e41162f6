// A pass of the compiler as data: a name, what it makes of what the pass before made, how that is verified, and how large it is.
// Passes stand in lists, whose types hold that each is given what it asks for. Running a list leaves a record of each pass.

/** How large something is, by unit: nodes, passes over logits, fields, kernels, characters. */
export type Sizes = Readonly<Record<string, number>>;

export interface Pass<Given, Made> {
  readonly name: string;
  readonly run: (given: Given) => Made;
  /** The verifier of the level of what is made. @throws PrefcError */
  readonly verify: (made: Made, pass: string) => void;
  readonly sizes: (made: Made) => Sizes;
  /** Rewrites applied, by rule; none. */
  readonly applied?: (made: Made) => ReadonlyMap<string, number>;
}
export interface PassRecord {
  readonly name: string;
  /** The direction that it was run for: "value" or "value and gradient"; null where it is for both. */
  readonly direction: string | null;
  /** What it was given, and what it made. */
  readonly before: Sizes;
  readonly after: Sizes;
  /** Rewrites applied, by rule. */
  readonly applied: ReadonlyMap<string, number>;
}
interface Run<Made> {
  readonly made: Made;
  readonly sizes: Sizes;
  readonly records: readonly PassRecord[];
}
/** Passes in order, from what is given to what the last of them makes. */
export interface PassList<Given, Made> {
  readonly names: readonly string[];
  /** The list with one pass more. */
  readonly and: <Next>(pass: Pass<Made, Next>) => PassList<Given, Next>;
  readonly run: (given: Given, direction: string | null) => Run<Made>;
}

/** A list without passes; `sizes` says how large what is given is. */
export const passes = <Given>(sizes: (given: Given) => Sizes): PassList<Given, Given> =>
  listed([], (given: Given) => ({ made: given, sizes: sizes(given), records: [] }));

const listed = <Given, Made>(
  names: readonly string[],
  run: PassList<Given, Made>["run"],
): PassList<Given, Made> => ({
  names,
  run,
  and: (pass) =>
    listed([...names, pass.name], (given, direction) => {
      const { made: before, sizes, records } = run(given, direction);
      const made = pass.run(before);
      pass.verify(made, pass.name);
      const after = pass.sizes(made);
      const applied = pass.applied?.(made) ?? new Map<string, number>();
      const { name } = pass;
      return {
        made,
        sizes: after,
        records: [...records, { name, direction, before: sizes, after, applied }],
      };
    }),
});
