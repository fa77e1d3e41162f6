// What a row program is cut into: which steps, how many, and that each value is computed once.
import { describe, expect, it } from "vitest";
import { at, binary, constant, reduce } from "../../src/core/build.ts";
import { exampleInput, logpInput } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { builtIns, compile } from "../../src/index.ts";
import { lowerRows } from "../../src/rows/lower.ts";
import type { RowProgram } from "../../src/rows/program.ts";

const schedule = compile(builtIns["dpo"]!.make()).explain().schedule;
const stepsOf = (token: Node, example: Node, single: Node): readonly string[] => {
  const program: RowProgram = {
    responses: ["a", "b"],
    tokenOutputs: [{ node: token, response: "b", field: 0 }],
    exampleOutputs: [{ node: example, slot: 1 }],
    scalarOutputs: [{ node: single, slot: 0 }],
    rowField: () => 1,
    exampleSlot: () => 0,
    paramSlot: () => 0,
    paramVectors: 1,
    firstExampleSlot: 2,
    firstScalarSlot: 1,
  };
  return lowerRows(program, schedule).dispatches.map(({ kernel }) => kernel.name);
};

describe("the steps of a row program", () => {
  it("let tokens, examples and results read the value of one example", () => {
    const sum = reduce("sum", "token.b", constant(1));
    const single = at(sum, "batch", constant(1, "i32"));
    const token = binary("times", logpInput("policy", "b"), single);
    const example = binary("times", exampleInput("x"), single);
    expect(stepsOf(token, example, single)).toEqual([
      "row program: tokens",
      "row program: sums over tokens",
      "row program: tokens",
      "row program: examples",
      "row program: results",
    ]);
  });
  it("of both responses are one map over tokens before the loss and one after it", () => {
    const { steps } = compile(builtIns["wpo"]!.make()).plan("valueAndGrad", 1000);
    const maps = steps.filter(({ work }) => work?.step.kind === "map" && work.over === "token");
    expect(maps).toHaveLength(2);
  });
});
