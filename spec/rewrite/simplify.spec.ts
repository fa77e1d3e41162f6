// Simplification keeps the value and the gradient of whole losses, also where logits are masked by −∞ and where they are
// so large that probabilities underflow.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { PrefcError } from "../../src/core/error.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import type { Tensor } from "../../src/reference/tensor.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { ragged } from "../support/arbitraries.ts";
import { losses } from "../support/losses.ts";

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Float64 sums of at most a hundred terms between −160 and 160, twice through a function that amplifies them. */
const tolerance = 1e-10;

/** The values, or undefined where the loss itself is: the odds of a response whose probability is 1. */
const valuesOf = (roots: readonly Node[], batch: Batch): readonly Tensor[] | undefined => {
  try {
    return evaluate(roots, batch, {});
  } catch (error) {
    if (error instanceof PrefcError && error.code === "undefined-value") return undefined;
    throw error;
  }
};

describe("simplify", () => {
  it.each(Object.entries(losses))("keeps value and gradient of %s", (_name, loss) => {
    const used = new Set(topological([loss]));
    const logits = ["w", "l"]
      .map((response) => logitsOf("policy", response))
      .filter((z) => used.has(z));
    const before: readonly Node[] = [loss, ...gradient(loss, logits)];
    const after = simplify(before).roots;
    fc.assert(
      fc.property(ragged({ masked: true }), (batch) => {
        const expected = valuesOf(before, batch);
        fc.pre(expected !== undefined);
        evaluate(after, batch, {}).forEach((table, position) => {
          const due = expected[position]!;
          expect(table.axes).toEqual(due.axes);
          const scale = Math.max(largest(due.data), Number.MIN_VALUE);
          const worst = table.data.reduce(
            (most, value, n) => Math.max(most, Math.abs(value - due.data[n]!)),
            0,
          );
          expect(worst / Math.max(scale, 1e-12)).toBeLessThan(tolerance);
        });
      }),
    );
  });
});
