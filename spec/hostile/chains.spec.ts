// 100,000 nodes in a row, of every operator and combinator of the core in turn, each as the left and as the right operand:
// all that works on expressions has a result or a typed error for it, never an overflow of the stack.
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import {
  at,
  binary,
  constant,
  param,
  reduce,
  select,
  sort,
  state,
  stop,
  unary,
} from "../../src/core/build.ts";
import { logpsInput } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { binaryOps, unaryOps, type BinaryOp, type UnaryOp } from "../../src/core/ops.ts";
import { parse } from "../../src/core/parse.ts";
import { print, printExpression } from "../../src/core/print.ts";
import { verify } from "../../src/core/verify.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { evaluate, fromResponses, PrefcError } from "../../src/index.ts";
import { simplify } from "../../src/rewrite/simplify.ts";

type Step = (x: Node, i: number) => Node;
/** A condition as a number again. */
const real = (x: Node): Node => (x.dtype === "bool" ? unary("toReal", x) : x);
const positive = (x: Node): Node => binary("gt", x, constant(0));

const ofUnary = (op: UnaryOp): Step[] => {
  const { from } = unaryOps[op];
  if (from.includes("f32")) return [(x) => real(unary(op, x))];
  return from.includes("bool") ? [(x) => real(unary(op, positive(x)))] : [];
};
const ofBinary = (op: BinaryOp): Step[] => {
  const bool = !binaryOps[op].from.includes("f32");
  const other = (i: number): Node => (bool ? positive(constant(i)) : constant(i % 7));
  const own = (x: Node): Node => (bool ? positive(x) : x);
  return [
    (x, i) => real(binary(op, own(x), other(i))),
    (x, i) => real(binary(op, other(i), own(x))),
  ];
};
const steps: readonly Step[] = [
  ...(Object.keys(unaryOps) as UnaryOp[]).flatMap(ofUnary),
  ...(Object.keys(binaryOps) as BinaryOp[]).flatMap(ofBinary),
  (x) => select(positive(x), x, constant(1)),
  (x, i) => select(positive(constant(i)), constant(1), x),
  (x) => binary("minus", x, reduce("sum", "batch", x)),
  (x) => binary("minus", x, reduce("max", "batch", x)),
  (x) => binary("minus", x, reduce("logSumExp", "batch", x)),
  (x) => at(x, "batch", sort("order", "batch", x)),
  (x) => unary("toReal", sort("rank", "batch", x)),
  (x) => binary("plus", x, stop(x)),
  (x, i) => binary("times", x, param(`p${i % 50}`, 1)),
  (x, i) => binary("plus", x, state(`s${i % 50}`, 0)),
];

const input = logpsInput("policy", "w");
let loss: Node = input;
// a constant keeps each part different from all before it, so that none is shared
for (let i = 0; i < 40_000; i++)
  loss = binary("plus", steps[i % steps.length]!(loss, i), constant(1 / (i + 2)));

/** A result, or an error that is typed. */
const typed = (act: () => unknown): string => {
  try {
    act();
    return "a result";
  } catch (error) {
    if (error instanceof PrefcError) return error.code;
    throw error;
  }
};

describe("100,000 nodes in a row, of every operator and combinator", () => {
  it("are that many", () => {
    expect(topological([loss]).length).toBeGreaterThan(100_000);
    const found = new Set(topological([loss]).flatMap((node) => ("op" in node ? [node.op] : [])));
    const missing = [...Object.keys(unaryOps), ...Object.keys(binaryOps)].filter(
      (op) => !found.has(op as UnaryOp),
    );
    expect(missing).toEqual([]);
  });
  it("are printed, parsed back, verified, and shown on one line", () => {
    expect(parse(print({ loss }))["loss"]).toBe(loss);
    expect(() => verify([loss], "growing")).not.toThrow();
    expect(printExpression(loss).length).toBeLessThan(10_000);
  });
  it("are simplified and differentiated", () => {
    expect(simplify([loss]).roots).toHaveLength(1);
    expect(gradient(reduce("sum", "batch", loss), [input])).toHaveLength(1);
  });
  it("are interpreted or refused as having no value, and refused by the compiler", () => {
    const batch = fromResponses(
      { w: { labels: [[1], [0]], policy_logps: [-1, -2] } },
      { vocab_size: 2 },
    );
    expect(["a result", "undefined-value", "division-by-zero"]).toContain(
      typed(() => evaluate([loss], batch, {})),
    );
    const source = { name: "grown", responses: ["w"], loss, metrics: {} };
    expect(typed(() => compileProgram(source))).toBe("too-large");
  });
});
