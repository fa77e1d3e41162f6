// Where the random cases of the property tests come from, read in one place: PREFC_SEED replays a run, and PREFC_RUNS
// sets the number of cases of each property that does not fix its own.
const defaultSeed = 20_260_101;

const integerFrom = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new Error(`${name} must be a whole number, but it is "${text}"; correct it or unset it`);
  }
  return value;
};

/** The seed of every property in this run: PREFC_SEED, or a fixed one, so that two plain runs try the same cases. */
export const seed: number = integerFrom("PREFC_SEED") ?? defaultSeed;

/** The number of cases of a property that does not fix its own: PREFC_RUNS, or fast-check's default when absent. */
export const runs: number | undefined = integerFrom("PREFC_RUNS");
