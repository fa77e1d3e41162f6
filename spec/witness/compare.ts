// What the interpreter gives for some expressions against what many digits give: every entry within what float64 may be off when
// it computes the formula as it is written. An entry is undecided where rounding chooses a side of a condition.

import type { Batch, Params } from "../../src/batch/batch.ts";
import type { Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { witness, type Known } from "./evaluate.ts";

export interface Comparison {
  readonly complaints: readonly string[];
  readonly decided: number;
  readonly undecided: number;
  /** Entries whose bound is so wide that hardly anything would be found. */
  readonly loose: number;
}

const isWithin = (x: number, { value, error }: Known): boolean =>
  Number.isFinite(x) ? value.minus(x).abs().toNumber() <= error : Object.is(x, value.toNumber());

export function againstWitness(roots: readonly Node[], batch: Batch, params: Params): Comparison {
  const values = evaluate(roots, batch, params);
  const entries = witness(roots, batch, params).flatMap((known, root) =>
    known.map((right, entry) => ({ right, root, entry, x: values[root]!.data[entry]! })),
  );
  const decided = entries.filter(({ right }) => Number.isFinite(right.error));
  return {
    complaints: decided
      .filter(({ right, x }) => !isWithin(x, right))
      .map(
        ({ right: { value, error }, root, entry, x }) =>
          `the interpreter: entry ${entry} of result ${root} is ${x}, where ${value.toString()} is right to ${error}`,
      ),
    decided: decided.length,
    undecided: entries.length - decided.length,
    loose: decided.filter(
      ({ right: { value, error } }) => error > 1e-9 * (1 + value.abs().toNumber()),
    ).length,
  };
}
