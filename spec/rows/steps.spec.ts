// What a row program is cut into: which steps, how many, and that each value is computed once.
import { describe, expect, it } from "vitest";
import { at, binary, constant, reduce } from "../../src/core/build.ts";
import { exampleInput, logpInput } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { builtIns, compile } from "../../src/index.ts";
import { lowerRows } from "../../src/rows/lower.ts";
import type { Step } from "../../src/plan/plan.ts";
import type { RowProgram } from "../../src/rows/program.ts";
import { rowSteps } from "../../src/rows/steps.ts";

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
  return lowerRows(program, rowSteps(program), schedule).map(({ kernel }) => kernel.name);
};

const stepsFor = (name: string): readonly Step[] =>
  compile(builtIns[name]!.make())
    .plan("valueAndGrad", 1000)
    .steps.filter(({ work }) => work !== null);

describe("the steps of a row program", () => {
  it("let tokens, examples and results read the value of one example", () => {
    const sum = reduce("sum", "token.b", constant(1));
    const single = at(sum, "batch", constant(1, "i32"));
    const token = binary("times", logpInput("policy", "b"), single);
    const example = binary("times", exampleInput("x"), single);
    expect(stepsOf(token, example, single)).toEqual([
      "row program: tokens and their sums",
      "row program: tokens",
      "row program: examples",
      "row program: results",
    ]);
  });
  it("of both responses are one map over tokens before the loss and one after it", () => {
    expect(stepsFor("wpo").map(({ kernel }) => kernel.name)).toEqual([
      "row program: tokens and their sums",
      "row program: examples",
      "row program: tokens",
      "row program: results",
    ]);
  });
  it("give both responses one gradient, whose sign is that of a value per example", () => {
    for (const name of ["dpo", "wpo", "simpo"]) {
      const [map] = stepsFor(name).flatMap(({ work }) =>
        work!.step.kind === "map" && work!.step.results.some(({ place }) => place.kind === "field")
          ? [work!.step]
          : [],
      );
      expect(map!.results.map(({ responses }) => responses)).toEqual([
        ["w", "l"],
        ["w", "l"],
      ]);
    }
  });
  it("add up along the batch once for all that waits for it, and the rest with the results", () => {
    for (const name of ["kto", "orpo", "alphapo", "cpo"]) {
      const kinds = stepsFor(name).map(({ work }) => work!.step.kind);
      expect(kinds.filter((kind) => kind === "reduce")).toHaveLength(1);
    }
  });
  it("are texts that drivers compile in time", () => {
    for (const name of ["dpo", "wpo", "kto", "orpo", "alphapo"])
      for (const { wgsl } of stepsFor(name)) expect(wgsl.length).toBeLessThanOrEqual(8000);
  });
});
