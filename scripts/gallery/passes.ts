// What the compiler makes of a built-in: how often the logits are read and the gradient is written, against the floor, and
// what a running pass keeps for each row.

import {
  compile,
  type BuiltIn,
  type Explanation,
  type Objective,
  type OptionKind,
} from "../../src/index.ts";

export interface Passes {
  readonly explanation: Explanation;
  /** Reads of a model's logits for loss and gradient: "2 of 2" with the floor behind "of", by response where they differ. */
  readonly reads: Readonly<Record<"policy" | "ref", string>>;
  readonly writes: string;
  /** What the running passes leave for each row. */
  readonly accumulators: readonly string[];
  /** Why something moves more than the floor, a clause each; empty at the floor. */
  readonly more: readonly string[];
}

type Traffic = Explanation["valueAndGrad"]["traffic"][number];

/** One text for all responses, or one for each. */
function byResponse(rows: readonly Traffic[], text: (row: Traffic) => string): string {
  const texts = new Set(rows.map(text));
  if (texts.size <= 1) return [...texts][0] ?? "none";
  return rows.map((row) => `${row.response}: ${text(row)}`).join(", ");
}

function beyondFloor({ value, valueAndGrad }: Explanation): readonly string[] {
  const directions = [
    ["loss", value],
    ["loss and gradient", valueAndGrad],
  ] as const;
  return directions.flatMap(([name, { traffic, extraPasses }]) => [
    ...traffic
      .filter((row) => row.reads > row.floorReads || row.writes > row.floorWrites)
      .map(
        (row) =>
          `${name}: ${row.model} logits of ${row.response} are read ${row.reads} times (floor ${row.floorReads}) and written ${row.writes} times (floor ${row.floorWrites})`,
      ),
    ...extraPasses.map(
      ({ terms }) =>
        `${name}: an extra pass for ${terms.map(({ text }) => `\`${text}\``).join(" and ")}`,
    ),
  ]);
}

export function passesOf(objective: Objective): Passes {
  const explanation = compile(objective).explain();
  const { traffic, kernels } = explanation.valueAndGrad;
  const of = (model: string): readonly Traffic[] => traffic.filter((row) => row.model === model);
  const reads = (model: string): string =>
    byResponse(of(model), ({ reads, floorReads }) => `${reads} of ${floorReads}`);
  return {
    explanation,
    reads: { policy: reads("policy"), ref: reads("ref") },
    writes: byResponse(of("policy"), ({ writes, floorWrites }) => `${writes} of ${floorWrites}`),
    accumulators: [
      ...new Set(
        kernels.filter(({ kind }) => kind === "running pass").flatMap(({ leaves }) => leaves),
      ),
    ],
    more: beyondFloor(explanation),
  };
}

const wordsOf = (kind: OptionKind): readonly string[] => {
  if (isWords(kind)) return kind;
  return typeof kind === "object" && "listOf" in kind ? wordsOf(kind.listOf) : [];
};
const isWords = (kind: OptionKind): kind is readonly string[] => Array.isArray(kind);

/** The forms of a built-in beside its default: each of its words and booleans in turn, where that alone is allowed. */
export function forms({ make, options }: BuiltIn): readonly (readonly [string, Objective])[] {
  return Object.entries(options).flatMap(([option, kind]) => {
    const values = kind === "boolean" ? [false, true] : wordsOf(kind);
    return values.flatMap((value: boolean | string): (readonly [string, Objective])[] => {
      try {
        return [[`${option}=${value}`, make({ [option]: value })]];
      } catch {
        return [];
      }
    });
  });
}
