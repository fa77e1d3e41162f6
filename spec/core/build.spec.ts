// What the constructors of the core accept: they are the only way to make a node, so what they refuse cannot exist.
import { describe, expect, it } from "vitest";
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
  sort,
  state,
  unary,
  withArgs,
} from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { expectError } from "../support/checks.ts";

const x = input("x", ["batch", "token.w"]);
const perExample = input("m", ["batch"]);
const index = input("i", ["batch"], "i32");
const flag = binary("gt", x, constant(0));

describe("the constructors refuse", () => {
  it.each<[string, () => Node, string, RegExp]>([
    ["NaN", () => constant(Number.NaN), "constant-not-a-number", /NaN is not a value/],
    ["infinity", () => constant(-Infinity), "constant-not-finite", /-Infinity is not finite/],
    [
      "a default of infinity",
      () => param("β", Infinity),
      "parameter-not-finite",
      /"β": the default Infinity/,
    ],
    ["a default of NaN", () => param("β", Number.NaN), "parameter-not-finite", /the default NaN/],
    [
      "a state that begins nowhere",
      () => state("n", Number.NaN),
      "state-not-finite",
      /the initial value NaN/,
    ],
    [
      "an input over two responses",
      () => input("x", ["token.w", "token.l"]),
      "token-axes-differ",
      /input "x": token axes differ \(one side ranges over the tokens of "l", the other over the tokens of "w"\)/,
    ],
    [
      "two responses in a sum",
      () => binary("plus", x, input("y", ["token.l"])),
      "token-axes-differ",
      /^plus: token axes differ/,
    ],
    [
      "the exponential of a truth value",
      () => unary("exp", flag),
      "dtype-mismatch",
      /the operand is bool, but exp takes f32/,
    ],
    [
      "numbers of two types",
      () => binary("plus", x, index),
      "dtype-mismatch",
      /the operands are f32 and i32/,
    ],
    [
      "a quotient of whole numbers",
      () => binary("over", index, index),
      "dtype-mismatch",
      /over takes two of f32/,
    ],
    ["a choice by a number", () => select(x, x, x), "dtype-mismatch", /the condition is f32/],
    [
      "a choice between types",
      () => select(flag, x, index),
      "dtype-mismatch",
      /the branches are f32 and i32/,
    ],
    [
      "a sum of whole numbers",
      () => reduce("sum", "batch", index),
      "dtype-mismatch",
      /a reduction takes f32/,
    ],
    [
      "a sum over the batch of tokens",
      () => reduce("sum", "batch", x),
      "ragged-order",
      /reduce the token axis first/,
    ],
    [
      "an index that is real",
      () => at(x, "token.w", perExample),
      "dtype-mismatch",
      /the index is f32/,
    ],
    [
      "an example of tokens",
      () => at(x, "batch", index),
      "ragged-order",
      /still ranges over tokens/,
    ],
    [
      "an order of truth values",
      () => sort("order", "batch", binary("gt", perExample, constant(0))),
      "dtype-mismatch",
      /it must be f32/,
    ],
    [
      "an order of tokens",
      () => sort("rank", "token.w", x),
      "sort-axis",
      /only the batch has an order, but the axis is the tokens of "w"/,
    ],
    [
      "an order of what has tokens",
      () => sort("rank", "batch", x),
      "sort-axis",
      /still ranges over the tokens of "w"/,
    ],
  ])("%s", (_what, make, code, sentence) => expectError(make, code, sentence));
});

describe("withArgs", () => {
  it("makes of other arguments what the constructor makes of them, for every kind of node", () => {
    const y = input("y", ["batch", "token.w"]);
    const made: readonly (readonly [Node, readonly Node[], Node])[] = [
      [unary("exp", x), [y], unary("exp", y)],
      [binary("minus", x, y), [y, x], binary("minus", y, x)],
      [select(flag, x, y), [flag, y, x], select(flag, y, x)],
      [reduce("max", "token.w", x), [y], reduce("max", "token.w", y)],
      [at(x, "token.w", index), [y, index], at(y, "token.w", index)],
      [
        sort("rank", "batch", perExample),
        [count("token.w")],
        sort("rank", "batch", count("token.w")),
      ],
    ];
    for (const [node, args, right] of made) expect(withArgs(node, args)).toBe(right);
    for (const leaf of [constant(1), param("β"), x, iota("batch"), count("vocab")])
      expect(withArgs(leaf, [x])).toBe(leaf);
  });
});

it("lists a shared node once, arguments before users", () => {
  const shared = unary("exp", x);
  const root = binary("times", shared, binary("plus", shared, x));
  const order = topological([root, shared]);
  expect(order).toEqual([x, shared, binary("plus", shared, x), root]);
});
