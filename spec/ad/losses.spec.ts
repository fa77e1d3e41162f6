// The derived gradient of whole losses against central differences of the interpreter, on random ragged batches.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { constant } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { ragged } from "../support/arbitraries.ts";
import { losses } from "../support/losses.ts";

/** Largest |derived − central difference| over the logits of both responses, relative to max(1, |loss|, |gradient|). */
const disagreement = (loss: Node, batch: Batch): number => {
  const logits = [logitsOf("policy", "w"), logitsOf("policy", "l")] as const;
  const [value, ...derived] = evaluate([loss, ...gradient(loss, logits)], batch, {});
  let worst = 0;
  let scale = Math.max(1, Math.abs(value!.data[0]!));
  logits.forEach((z, position) => {
    // differences cannot be taken in what the loss does not read
    if (!topological([loss]).includes(z)) return expect(gradient(loss, [z])).toEqual([constant(0)]);
    const analytic = expand(derived[position]!, z.axes, batch).data;
    const numeric = centralDifference(loss, `policy.logits.${"wl"[position]}`, batch, {}).data;
    numeric.forEach((slope, n) => {
      scale = Math.max(scale, Math.abs(slope));
      worst = Math.max(worst, Math.abs(slope - analytic[n]!));
    });
  });
  return worst / scale;
};

// A central difference with ε = 1e-5 is wrong by about ε²·|f'''| plus 1e-16/ε·|f| of rounding, both near 1e-10 here.
const tolerance = 1e-7;

describe("the gradient of a loss", () => {
  for (const [name, loss] of Object.entries(losses)) {
    it(`agrees with central differences: ${name}`, () => {
      const batches = ragged({ scales: ["normal"], maxExamples: 3, maxLength: 3, maxVocab: 7 });
      fc.assert(
        fc.property(batches, (batch) => {
          expect(disagreement(loss, batch)).toBeLessThanOrEqual(tolerance);
        }),
        { numRuns: 20 },
      );
    });
  }
});
