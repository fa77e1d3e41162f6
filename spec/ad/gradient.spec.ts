// The structural rules of reverse mode, one behaviour at a time, on expressions small enough to know the answer.
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  count,
  input,
  iota,
  param,
  reduce,
  select,
  stop,
  unary,
} from "../../src/core/build.ts";
import {
  exampleInput,
  idsOf,
  logitsOf,
  logpFromLogits,
  tokenInput,
} from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { expectError, valueOf, valuesOf } from "../support/checks.ts";

const x = param("x");
const batch: Batch = fromResponses(
  {
    w: {
      labels: [[1, 0], [2]],
      policy_logits: [
        [1, 2, 3],
        [0, 0, 0],
        [5, 5, -1],
      ],
      tokens: { u: [1, 2, 3] },
    },
    l: { labels: [[1], [1, 1, 1]], tokens: { u: [4, 5, 6, 7] } },
  },
  { examples: { m: [10, 20] } },
);
const z = logitsOf("policy", "w");
const m = exampleInput("m");
const u = tokenInput("u", "w");
const total = (node: Node): Node =>
  [...node.axes].toReversed().reduce((sum, axis) => reduce("sum", axis, sum), node);
const slope = (root: Node, wrt: Node): Node => gradient(root, [wrt])[0]!;

describe("cotangents move between index spaces", () => {
  it("a sum passes its cotangent on unchanged", () => {
    expect(slope(reduce("sum", "batch", m), m)).toBe(constant(1));
  });

  it("a broadcast operand collects over the variables that it lacks", () => {
    const loss = total(binary("times", x, z));
    expect(valueOf(slope(loss, x), batch, { x: 3 })).toBe(6 + 0 + 9);
    const perExample = slope(total(binary("times", m, u)), m);
    expect(valuesOf(perExample, batch)).toEqual([3, 3]);
  });

  it("a sum over a variable that the operand lacks counts it", () => {
    const loss = reduce("sum", "batch", reduce("sum", "token.w", m));
    expect(slope(loss, m)).toBe(count("token.w"));
    expect(valueOf(slope(reduce("sum", "vocab", x), x), batch, { x: 1 })).toBe(3);
    // under the tokens of one response, those of another are only counted: the same for both tokens of an example
    const across = reduce("sum", "batch", reduce("sum", "token.w", reduce("sum", "token.l", u)));
    expect(valuesOf(slope(across, u), batch)).toEqual([1, 3]);
  });

  it("tokens are summed before the examples on which their number depends", () => {
    const loss = total(binary("plus", x, u));
    expect(valueOf(slope(loss, x), batch, { x: 0 })).toBe(3);
  });

  it("a maximum shares its cotangent among the terms that reach it", () => {
    const loss = total(reduce("max", "vocab", z));
    const third = 1 / 3;
    expect(valuesOf(slope(loss, z), batch)).toEqual([0, 0, 1, third, third, third, 0.5, 0.5, 0]);
  });

  it("log-sum-exp weighs its terms by their part", () => {
    const softmax = valuesOf(slope(total(reduce("logSumExp", "vocab", z)), z), batch);
    expect(softmax.slice(0, 3).map((p) => Math.log(p / softmax[0]!))).toEqual([
      0,
      expect.closeTo(1, 12),
      expect.closeTo(2, 12),
    ]);
    expect(softmax[3]! + softmax[4]! + softmax[5]!).toBeCloseTo(1, 12);
  });

  it("a lookup passes its cotangent to the entry that was read, by comparison", () => {
    const loss = total(binary("times", u, at(z, "vocab", idsOf("w"))));
    expect(valuesOf(slope(loss, z), batch)).toEqual([0, 1, 0, 2, 0, 0, 0, 0, 3]);
  });

  it("a lookup of a token by a number reaches that token of every example", () => {
    const loss = reduce("sum", "batch", at(u, "token.w", constant(0, "i32")));
    expect(valuesOf(slope(loss, u), batch)).toEqual([1, 0, 1]);
  });

  it("a lookup in what does not have the axis is no lookup", () => {
    const loss = total(at(u, "vocab", idsOf("w")));
    expect(slope(loss, u)).toBe(constant(1));
  });

  it("a choice passes its cotangent to the branch that was taken", () => {
    const y = param("y");
    const loss = total(select(binary("gt", m, constant(15)), x, binary("times", constant(3), y)));
    const values = gradient(loss, [x, y]).map((d) => valueOf(d, batch, { x: 0, y: 0 }));
    expect(values).toEqual([1, 3]);
  });
});

describe("where nothing flows", () => {
  it("stop passes the value and blocks the cotangent", () => {
    const loss = binary("times", x, stop(x));
    expect(valueOf(loss, undefined, { x: 3 })).toBe(9);
    expect(valueOf(slope(loss, x), undefined, { x: 3 })).toBe(3);
    expect(slope(stop(x), x)).toBe(constant(0));
  });

  it("a missing dependence is the constant 0", () => {
    expect(slope(constant(2), x)).toBe(constant(0));
    expect(slope(total(m), z)).toBe(constant(0));
  });

  it("integers and truth values have no derivative", () => {
    const step = unary("toReal", binary("gt", x, constant(0)));
    expect(slope(step, x)).toBe(constant(0));
    expect(slope(total(unary("toReal", iota("vocab"))), x)).toBe(constant(0));
  });

  it("an operator of slope 0 contributes nothing", () => {
    expect(slope(unary("sign", x), x)).toBe(constant(0));
  });
});

describe("any node may be differentiated with respect to", () => {
  it("the root itself, an inner node, and an input below it", () => {
    const square = unary("square", x);
    const loss = binary("times", constant(2), square);
    const [whole, inner, leaf] = gradient(loss, [loss, square, x]);
    expect(whole).toBe(constant(1));
    expect(inner).toBe(constant(2));
    expect(valueOf(leaf!, undefined, { x: 3 })).toBe(12);
  });

  it("a node that is used twice collects from both uses", () => {
    expect(valueOf(slope(binary("times", x, x), x), undefined, { x: 5 })).toBe(10);
  });
});

describe("cotangents stay small", () => {
  it("the sum of a lookup's cotangent over the vocabulary is the cotangent itself", () => {
    const loss = total(logpFromLogits("policy", "w"));
    const reductions = topological([slope(loss, z)]).filter((node) => node.tag === "reduce");
    expect(reductions.map((node) => node.op)).toEqual(["logSumExp"]);
  });

  it("no product with 0 or 1, no sum with 0 and no double negation is made", () => {
    const loss = unary("neg", total(unary("neg", logpFromLogits("policy", "w"))));
    const made = topological([slope(loss, z)]);
    const trivial = made.filter(
      (node) =>
        (node.tag === "binary" &&
          ["times", "plus"].includes(node.op) &&
          node.args.some((arg) => arg.tag === "const")) ||
        (node.tag === "unary" &&
          node.op === "neg" &&
          node.args[0].tag === "unary" &&
          node.args[0].op === "neg"),
    );
    expect(trivial).toEqual([]);
  });
});

describe("what has no gradient says so", () => {
  it("an expression with axes, or one that is not real", () => {
    expectError(() => gradient(m, [m]), "gradient-of-non-scalar", /batch/, /reduce it first/);
    expectError(() => gradient(constant(1, "i32"), [x]), "gradient-of-non-scalar", /i32/);
  });

  it("a permutation by index", () => {
    const order = input("order", ["batch"], "i32");
    const loss = total(binary("times", m, at(m, "batch", order)));
    expectError(() => gradient(loss, [m]), "gradient-of-at", /batch/);
  });

  // found by a random program
  it("a token of one response for each token of another", () => {
    const given = tokenInput("given", "w");
    const looked = at(given, tokenAxis("w"), iota(tokenAxis("l")));
    const loss = total(reduce("sum", tokenAxis("l"), looked));
    expectError(() => gradient(loss, [given]), "gradient-of-at", /"w".*"l".*two responses/);
  });
});
