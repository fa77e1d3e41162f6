// Central differences: right where the answer is known, blind to nothing but stopped terms and masked entries.
import { describe, expect, it } from "vitest";
import { binary, reduce, stop, unary } from "../../src/core/build.ts";
import { exampleInput, logitsOf, tokenInput } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { expectError } from "../support/checks.ts";

const batch = fromResponses(
  {
    w: {
      labels: [[1, 0], [1]],
      policy_logits: [
        [1, 2],
        [3, -Infinity],
        [4, 5],
      ],
      tokens: { u: [1, 2, 3] },
    },
  },
  { examples: { m: [10, 20] } },
);
const total = (node: Node): Node =>
  [...node.axes].toReversed().reduce((sum, axis) => reduce("sum", axis, sum), node);
const m = exampleInput("m");
const u = tokenInput("u", "w");
const z = logitsOf("policy", "w");
const rounded = (values: Float64Array): readonly number[] =>
  [...values].map((value) => Math.round(value * 1e6) / 1e6);

describe("a central difference", () => {
  it("is the slope at every height of input, over the axes of the input", () => {
    const perExample = centralDifference(total(unary("square", m)), "example.m", batch, {});
    expect(rounded(perExample.data)).toEqual([20, 40]);
    expect(perExample.axes).toEqual(["batch"]);
    const perToken = centralDifference(total(binary("times", u, m)), "tokens.u.w", batch, {});
    expect(rounded(perToken.data)).toEqual([10, 10, 20]);
    const perEntry = centralDifference(
      total(unary("exp", unary("neg", z))),
      "policy.logits.w",
      {
        ...fromResponses({ w: { labels: [[0]], policy_logits: [[0, 1]] } }),
      },
      {},
    );
    expect(perEntry.axes).toEqual(["batch", "token.w", "vocab"]);
    expect(perEntry.data[0]).toBeCloseTo(-1, 8);
    expect(perEntry.data[1]).toBeCloseTo(-Math.exp(-1), 8);
  });

  it("leaves a masked logit where it is", () => {
    const loss = total(reduce("logSumExp", "vocab", z));
    const { data } = centralDifference(loss, "policy.logits.w", batch, {});
    expect(rounded(data).slice(2, 4)).toEqual([1, 0]);
  });

  it("keeps the value of what is stopped", () => {
    const { data } = centralDifference(total(binary("times", stop(m), m)), "example.m", batch, {});
    expect(rounded(data)).toEqual([10, 20]);
  });

  it("changes neither the data nor what another response reads of the same tensor", () => {
    const logits = Float64Array.from({ length: 8 }, (_, n) => n);
    const shared = fromTrl({
      input_ids: [
        [0, 1],
        [0, 1],
      ],
      completion_mask: [
        [0, 1],
        [0, 1],
      ],
      policy_logits: logits,
    });
    const loss = total(binary("times", total(z), total(logitsOf("policy", "l"))));
    expect(rounded(centralDifference(loss, "policy.logits.w", shared, {}).data)).toEqual([9, 9]);
    expect([...logits]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("takes the step it is given: of a kink, a wide one sees both sides", () => {
    const ramp = total(unary("relu", m));
    const beyond = centralDifference(ramp, "example.m", batch, {}, { epsilon: 20 });
    // between −10 and 30 the ramp rises by 30 over 40, between 0 and 40 by 40 over 40
    expect(rounded(beyond.data)).toEqual([0.75, 1]);
  });

  it("needs a scalar that reads the input", () => {
    expectError(
      () => centralDifference(m, "example.m", batch, {}),
      "difference-undefined",
      /scalar/,
    );
    expectError(
      () => centralDifference(total(m), "example.n", batch, {}),
      "difference-undefined",
      /"example\.n"/,
    );
  });
});
