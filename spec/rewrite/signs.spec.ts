// What is known of signs is true: whatever is said of an expression's sign holds of its value, for random expressions of every
// operator whose sign anything is said of; and it is said where rules need it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  binary,
  constant,
  count,
  param,
  reduce,
  select,
  stop,
  unary,
} from "../../src/core/build.ts";
import { exampleInput } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import type { BinaryOp, UnaryOp } from "../../src/core/ops.ts";
import { evaluate, fromResponses, PrefcError } from "../../src/index.ts";
import { isNonNegative, isNonPositive, isPositive } from "../../src/rewrite/signs.ts";
import { seed } from "../seed.ts";

const batch = fromResponses(
  { y: { labels: [0, 0], lengths: [1, 1] } },
  { vocab_size: 2, examples: { x: [-0.7, 1.3] } },
);
const x = exampleInput("x");
const unaries: readonly UnaryOp[] = [
  "neg",
  "exp",
  "log",
  "log1p",
  "expm1",
  "tanh",
  "sigmoid",
  "logSigmoid",
  "log1mExp",
  "relu",
  "abs",
  "square",
  "sqrt",
];
const binaries: readonly BinaryOp[] = [
  "plus",
  "minus",
  "times",
  "over",
  "pow",
  "minimum",
  "maximum",
];
const { term } = fc.letrec<{ term: Node }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4, depthIdentifier: "term" },
    fc.constantFrom(x, count("batch"), param("p", -0.4)),
    fc.double({ min: -2, max: 2, noNaN: true }).map((value) => constant(value)),
    fc.constantFrom(0, 1, 2, 0.5, -1).map((value) => constant(value)),
    fc.tuple(fc.constantFrom(...unaries), tie("term")).map(([op, a]) => unary(op, a)),
    fc
      .tuple(fc.constantFrom(...binaries), tie("term"), tie("term"))
      .map(([op, a, b]) => binary(op, a, b)),
    fc
      .tuple(tie("term"), tie("term"), tie("term"))
      .map(([c, a, b]) => select(binary("gt", c, constant(0)), a, b)),
    fc.tuple(tie("term"), tie("term")).map(([a, b]) => unary("toReal", binary("ge", a, b))),
    fc
      .constantFrom("sum", "max", "logSumExp")
      .chain((op) => tie("term").map((a) => reduce(op as "sum", "batch", a))),
    tie("term").map((a) => binary("minus", a, reduce("logSumExp", "batch", a))),
    tie("term").map(stop),
  ),
}));

const valuesOf = (node: Node): readonly number[] | null => {
  try {
    return [...evaluate([node], batch, {})[0]!.data];
  } catch (error) {
    if (error instanceof PrefcError) return null;
    throw error;
  }
};

describe("the sign of an expression", () => {
  it("is what its values have, for whatever random expressions anything is said of", () => {
    let said = 0;
    fc.assert(
      fc.property(term, (node) => {
        const known = [isPositive(node), isNonNegative(node), isNonPositive(node)] as const;
        if (!known.includes(true)) return;
        const values = valuesOf(node);
        if (values === null) return;
        said++;
        for (const value of values) {
          // the smallest exponentials are 0 in float64
          if (known[0]) expect(value).toBeGreaterThanOrEqual(0);
          if (known[1]) expect(value).toBeGreaterThanOrEqual(0);
          // rounding may put a log-probability of 1 just above 0
          if (known[2]) expect(value).toBeLessThanOrEqual(1e-12);
        }
      }),
      { numRuns: 4000, seed },
    );
    expect(said).toBeGreaterThan(400);
  });

  const two = constant(2);
  const positive = unary("exp", x);
  const negative = unary("logSigmoid", x);
  it.each<[string, Node]>([
    ["a number", two],
    ["how many there are", count("batch")],
    ["a root", unary("sqrt", positive)],
    ["what grows from 0", binary("plus", positive, unary("abs", x))],
    ["what grows onto it", binary("plus", unary("square", x), positive)],
    ["a product", binary("times", positive, two)],
    ["a quotient", binary("over", positive, two)],
    ["a power", binary("pow", positive, x)],
    ["the smaller of two", binary("minimum", positive, two)],
    ["the larger where one is", binary("maximum", x, positive)],
    ["either of two", select(binary("gt", x, two), positive, two)],
    ["what is held constant", stop(positive)],
  ])("is positive: %s", (_, node) => {
    expect([isPositive(node), isNonNegative(node), isNonPositive(node)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each<[string, Node]>([
    ["a number", constant(-2)],
    ["a logarithm of a probability", binary("minus", x, reduce("logSumExp", "batch", x))],
    ["what is turned round", unary("neg", positive)],
    ["a product of either sign", binary("times", negative, positive)],
    ["the same the other way", binary("times", positive, negative)],
    ["a quotient", binary("over", negative, two)],
    ["what a function keeps", unary("expm1", negative)],
    ["the smaller where one is", binary("minimum", x, negative)],
    ["the larger of two", binary("maximum", negative, constant(-1))],
    ["a sum", reduce("sum", "batch", negative)],
    ["the logarithm of what is left", unary("log1mExp", negative)],
  ])("is not positive: %s", (_, node) => {
    expect([isPositive(node), isNonPositive(node)]).toEqual([false, true]);
  });

  it.each<[string, Node]>([
    ["data", x],
    ["a parameter", param("p", 1)],
    ["a difference", binary("minus", two, constant(1))],
    ["a logarithm", unary("log", positive)],
    ["a largest one", reduce("max", "batch", positive)],
    ["a quotient by what may be negative", binary("over", two, x)],
    ["a power of what may be negative", binary("pow", x, two)],
    ["a condition", binary("gt", x, two)],
    ["what lies too deep", Array.from({ length: 20 }).reduce<Node>((a) => stop(a), positive)],
  ])("is not said: %s", (_, node) => {
    expect([isPositive(node), isNonNegative(node), isNonPositive(node)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
