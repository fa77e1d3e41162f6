// A choice of one entry of an axis is not always a choice: an example of two tokens has no third one, and the sum over a
// condition that never holds is 0, as is its gradient. Random programs found that it was taken for the entry.
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { binary, constant, iota, reduce, select } from "../../src/core/build.ts";
import type { Axis } from "../../src/core/axis.ts";
import { logitsOf, logpFromLogits, logpsFromLogits } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { exampleBatch } from "../support/arbitraries.ts";

const chosen = (axis: Axis, at: number, value: Node): Node =>
  reduce("sum", axis, select(binary("eq", iota(axis), constant(at, "i32")), value, constant(0)));
const z = logitsOf("policy", "w");

describe("the entry of an axis that is too short", () => {
  const batch = exampleBatch({ scales: ["normal"], maxExamples: 3, maxLength: 3, maxVocab: 5 }, 4);
  const cases: Readonly<Record<string, Node>> = {
    "a number per example at a token": reduce(
      "sum",
      "batch",
      chosen("token.w", 2, logpsFromLogits("policy", "w")),
    ),
    "a value of a token": reduce(
      "sum",
      "batch",
      chosen("token.w", 2, logpFromLogits("policy", "w")),
    ),
    "a number at an example": chosen(
      "batch",
      7,
      reduce("sum", "batch", logpsFromLogits("policy", "w")),
    ),
  };

  it.each(Object.entries(cases))("adds nothing: %s", (_name, loss) => {
    const lengths = batch.responses["w"]!.offsets;
    expect([...lengths].some((offset, n) => n > 0 && offset - lengths[n - 1]! < 3)).toBe(true);
    const [first] = gradient(loss, [z]);
    const { roots } = simplify([loss, first!]);
    const [value, slope, simpler, simplerSlope] = evaluate([loss, first!, ...roots], batch, {}).map(
      (table, n) => (n % 2 === 0 ? table : expand(table, z.axes, batch)),
    );
    expect(simpler!.data[0]).toBeCloseTo(value!.data[0]!, 12);
    const numeric = centralDifference(loss, "policy.logits.w", batch, {}).data;
    numeric.forEach((difference, n) => {
      expect(Math.abs(slope!.data[n]! - difference)).toBeLessThan(1e-8);
      expect(Math.abs(simplerSlope!.data[n]! - difference)).toBeLessThan(1e-8);
    });
  });
});
