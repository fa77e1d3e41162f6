// Divisions that are known to be impossible before anything is computed: what is found, what is left alone, and what the
// sentence says to change.
import { describe, expect, it } from "vitest";
import { binary, constant, count, param, reduce, select, unary } from "../../src/core/build.ts";
import { exampleInput, logitsOf, logpsInput, rewardInput } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { given } from "../../src/dsl/given.ts";
import { variance } from "../../src/dsl/index.ts";
import { checkDivisors, knownDivisors } from "../../src/reference/divisors.ts";
import { expectError } from "../support/checks.ts";

const desirable = exampleInput("desirable");
const batch: Batch = {
  examples: 2,
  vocab: 1,
  responses: {
    "w.prompt": { offsets: Uint32Array.of(0, 2, 2), labels: Uint32Array.of(0, 0) },
  },
  inputs: { "example.desirable": { height: "example", values: Float64Array.of(1, 1) } },
};
const one: Batch = { ...batch, examples: 1 };
const over = (divisor: Node): Node => binary("over", param("x", 1), divisor);
const refuse = (
  divisor: Node,
  on: Batch,
  params: Readonly<Record<string, number>>,
  message: RegExp,
): void =>
  expectError(
    () => checkDivisors(knownDivisors([over(divisor)]), on, params),
    "division-by-zero",
    message,
  );

describe("a divisor that is known before a run", () => {
  it("is left alone where a condition guards it, and refused where another division reads it too", () => {
    const none = exampleInput("n");
    const guarded = select(binary("gt", none, constant(0)), over(none), constant(0));
    expect(knownDivisors([guarded])).toEqual([]);
    expect(knownDivisors([guarded, over(none)])).toEqual([none]);
    expect(knownDivisors([select(binary("gt", over(none), constant(0)), none, none)])).toEqual([
      none,
    ]);
  });

  it("is refused where it is 0, with what it depends on", () => {
    const freedom = binary("minus", count("batch"), constant(1));
    refuse(
      freedom,
      one,
      {},
      /^The objective divides by count\[batch\] - 1, which is 0; the batch has 1 example, so give more\.$/,
    );
    refuse(
      binary("minus", constant(1), binary("times", constant(2), param("epsilon"))),
      batch,
      { epsilon: 0.5 },
      /divides by 1 - 2 \* epsilon, which is 0; change epsilon = 0\.5\./,
    );
    refuse(
      reduce("sum", "batch", binary("minus", constant(1), desirable)),
      batch,
      {},
      /give a batch in which "example\.desirable" make it another number/,
    );
    refuse(
      count("token.w.prompt"),
      batch,
      {},
      /divides by count\[token\."w\.prompt"\], which is 0 in example 1; write it so that it cannot be 0/,
    );
  });

  it("is accepted where it is not", () => {
    const divisors = knownDivisors([
      over(binary("minus", count("batch"), constant(1))),
      over(binary("maximum", count("token.w.prompt"), constant(1))),
      over(unary("exp", desirable)),
    ]);
    expect(divisors).toHaveLength(3);
    expect(() => checkDivisors(divisors, batch, {})).not.toThrow();
  });

  it("is looked for below what is known later, and in every part of an expression", () => {
    const { example } = given("the test", ["w"]);
    const loss = unary(
      "exp",
      binary("times", rewardInput("w"), variance("batch", example("x")).node),
    );
    const branch = select(
      binary("gt", over(param("y", 0)), constant(0)),
      param("x", 1),
      constant(0),
    );
    expect(knownDivisors([loss, branch])).toEqual([
      binary("minus", count("batch"), constant(1)),
      param("y", 0),
    ]);
  });
});

describe("a divisor that is left alone", () => {
  it.each<[string, Node]>([
    ["comes from a model", logpsInput("ref", "w")],
    ["comes from logits", reduce("logSumExp", "vocab", logitsOf("policy", "w"))],
    ["is a score", rewardInput("w")],
    ["is a number other than 0", constant(2)],
    ["is the number of examples", count("batch")],
    ["is the number of tokens of a completion", count("token.w")],
  ])("%s", (_what, divisor) => {
    expect(knownDivisors([over(divisor)])).toEqual([]);
  });
});
