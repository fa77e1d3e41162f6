// A gradient is an ordinary expression, so it can be differentiated again. A fixed, uneven combination of its entries
// makes a scalar whose derived gradient is compared with central differences.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { constant, iota, reduce, unary } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { ragged } from "../support/arbitraries.ts";
import { losses, over, plus, times } from "../support/losses.ts";

const z = logitsOf("policy", "w");

/** Weights that tell vocabulary entries and tokens apart. */
const uneven = over(
  constant(1),
  plus(plus(unary("toReal", iota("vocab")), unary("toReal", iota("token.w"))), 1),
);

describe("the gradient of a gradient", () => {
  for (const name of ["dpo", "wpo-sampled, differentiated", "entropy", "orpo"]) {
    it(`agrees with central differences of the gradient: ${name}`, () => {
      const [first] = gradient(losses[name]!, [z]);
      const combined = (["vocab", "token.w", "batch"] as const).reduce(
        (sum, axis) => reduce("sum", axis, sum),
        times(first!, uneven),
      );
      const [second] = gradient(combined, [z]);
      const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 6 });
      fc.assert(
        fc.property(batches, (batch) => {
          const [table] = evaluate([second!], batch, {});
          const derived = expand(table!, z.axes, batch).data;
          const numeric = centralDifference(combined, "policy.logits.w", batch, {}).data;
          const scale = Math.max(1, ...numeric.map(Math.abs));
          // the truncation and the rounding of a difference with ε = 1e-5 are both near 1e-10
          numeric.forEach((slope, n) =>
            expect(Math.abs(slope - derived[n]!)).toBeLessThanOrEqual(1e-7 * scale),
          );
        }),
        { numRuns: 15 },
      );
    });
  }
});
