// Which passes need the maximum itself: those whose maximum is read as a number, and no others.
import { describe, expect, it } from "vitest";
import { at, binary, reduce, unary } from "../../src/core/build.ts";
import { idsOf, logitsOf, logSoftmaxOf } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { builtIn, builtIns, compile } from "../../src/index.ts";
import { exactMaxima } from "../../src/stream/exact.ts";

const [z, ref] = [logitsOf("policy", "w"), logitsOf("ref", "w")];
const maximum = (node: Node): Node => reduce("max", "vocab", node);
const label = (node: Node): Node => at(node, "vocab", idsOf("w"));

describe("the maximum itself", () => {
  it.each<[string, Node, readonly string[]]>([
    ["a log-sum-exp", reduce("logSumExp", "vocab", z), []],
    ["whether the label is likeliest", binary("ge", label(z), maximum(z)), []],
    [
      "the same of log-probabilities",
      binary("lt", maximum(logSoftmaxOf(z)), label(logSoftmaxOf(z))),
      [],
    ],
    ["the maximum", maximum(z), ["policy w"]],
    ["an expression of it", unary("exp", maximum(logSoftmaxOf(z))), ["policy w"]],
    ["a comparison with another's label", binary("ge", label(ref), maximum(z)), ["policy w"]],
    [
      "which entries reach it",
      reduce("sum", "vocab", unary("toReal", binary("eq", z, maximum(z)))),
      ["policy w"],
    ],
    [
      "both in one expression",
      binary("plus", unary("toReal", binary("ge", label(z), maximum(z))), maximum(ref)),
      ["ref w"],
    ],
  ])("of %s", (_, node, expected) => {
    expect([...exactMaxima([node])]).toEqual(expected);
  });

  it("is read by a greedy WPO, and by nothing with its usual options", () => {
    const models = (objective: ReturnType<typeof builtIn>): readonly string[] =>
      compile(objective).program.valueAndGrad.stages.passes.flatMap((pass) =>
        pass.kind === "online" ? pass.exact : [],
      );
    expect(models(builtIn("wpo", { alignment: "greedy" }))).toEqual(["policy"]);
    for (const name of Object.keys(builtIns)) expect(models(builtIn(name)), name).toEqual([]);
  });
});
