// The verifier accepts whatever the constructors make, and finds each kind of damage in nodes made by hand.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  at,
  binary,
  constant,
  input,
  iota,
  param,
  reduce,
  select,
  sort,
  unary,
} from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import { verify } from "../../src/core/verify.ts";
import { terms } from "../support/terms.ts";

/** A node as no constructor would make it: a good one with some fields replaced. */
const forged = (good: Node, fields: Readonly<Record<string, unknown>>): Node =>
  Object.freeze({ ...good, ...fields });

const complaint = (node: Node): string => {
  try {
    verify([node], "stability");
  } catch (error) {
    expect(error).toBeInstanceOf(PrefcError);
    expect((error as PrefcError).code).toBe("ill-formed-term");
    return (error as PrefcError).message;
  }
  throw new Error("the node was accepted");
};

const x = param("x");
const z = input("z", ["batch", "token.w", "vocab"]);
const flag = input("flag", ["batch"], "bool");
const exp = unary("exp", x);
const sum = reduce("sum", "vocab", z);
const ordered = sort("order", "batch", input("m", ["batch"]));
const later = 1e9;

describe("verify", () => {
  it("accepts every term that the constructors make", () => {
    fc.assert(fc.property(terms, (pool) => verify(pool, "construction")));
  });

  it("takes terms of any depth", () => {
    let chain = x;
    for (let depth = 0; depth < 100_000; depth++) chain = unary("neg", chain);
    expect(() => verify([chain], "construction")).not.toThrow();
  });

  it("names the pass and the node", () => {
    expect(complaint(forged(exp, { dtype: "i32", id: later }))).toBe(
      "after stability: the node exp is ill formed: it says it is i32, but it gives f32; this is a bug in stability, so please report it with the objective.",
    );
  });

  it.each<[string, Node, RegExp]>([
    ["unknown kind", forged(exp, { tag: "scan" }), /there is no kind of node "scan"/],
    ["unknown operator", forged(exp, { op: "sin" }), /there is no unary operator "sin"/],
    [
      "inherited operator",
      forged(exp, { op: "toString" }),
      /there is no unary operator "toString"/,
    ],
    [
      "unknown binary operator",
      forged(binary("plus", x, exp), { op: "mod" }),
      /no binary operator "mod"/,
    ],
    ["unknown reduction", forged(sum, { op: "product" }), /no reduction "product"/],
    ["unknown axis", forged(sum, { axis: "time" }), /"time" is not an axis/],
    ["unknown axes", forged(x, { axes: ["time"] }), /its axes time are not all axes/],
    ["unknown type", forged(x, { dtype: "f64" }), /"f64" is not a type/],
    ["arity", forged(exp, { args: [x, x] }), /it has 2 arguments instead of 1/],
    ["not frozen", { ...exp }, /not frozen/],
    ["a fractional id", forged(exp, { id: 0.5 }), /its id 0.5 is not a position/],
    ["an argument made later", forged(exp, { id: 0, args: [exp] }), /which is not below its own 0/],
    [
      "operand type",
      forged(exp, { args: [flag], axes: ["batch"], id: later }),
      /its operands are bool, which it does not take/,
    ],
    [
      "operands of two types",
      forged(binary("plus", x, exp), { args: [x, iota("vocab")], id: later }),
      /its operands are f32, i32, which it does not take/,
    ],
    [
      "missing axes",
      forged(exp, { args: [z], id: later }),
      /its axes are \[\], but they are \[batch, token.w, vocab\]/,
    ],
    [
      "a bound axis left",
      forged(sum, { axes: z.axes }),
      /its axes are \[batch, token.w, vocab\], but they are \[batch, token.w\]/,
    ],
    ["order of axes", forged(z, { axes: ["vocab", "batch"] }), /are not in canonical order/],
    ["an axis twice", forged(z, { axes: ["batch", "batch"] }), /are not in canonical order/],
    ["two token axes", forged(z, { axes: ["batch", "token.l", "token.w"] }), /hold two token axes/],
    ["ragged order of axes", forged(z, { axes: ["token.w"] }), /ragged token axis without batch/],
    [
      "ragged order of reductions",
      forged(sum, { axis: "batch" }),
      /reduces the batch of an operand that still ranges over tokens/,
    ],
    [
      "an infinite constant",
      forged(constant(1), { value: Infinity }),
      /its value Infinity is not finite/,
    ],
    ["a NaN constant", forged(constant(1), { value: Number.NaN }), /its value NaN is not finite/],
    ["a bool that is 2", forged(constant(1, "bool"), { value: 2 }), /its value 2 is not a bool/],
    ["a fractional i32", forged(constant(1, "i32"), { value: 1.5 }), /its value 1.5 is not an i32/],
    ["an infinite default", forged(x, { initial: Infinity }), /its default Infinity is not finite/],
    [
      "a parameter that is a bool",
      forged(x, { dtype: "bool" }),
      /it says it is bool, but it gives f32/,
    ],
    ["a scalar of no kind", forged(x, { kind: "global" }), /no run-time scalar of kind "global"/],
    [
      "a state without a beginning",
      forged(x, { kind: "state", initial: undefined }),
      /it has no initial value/,
    ],
    ["unknown sorting", forged(ordered, { op: "median" }), /there is no sorting "median"/],
    ["sorted tokens", forged(ordered, { axis: "token.w" }), /another axis than the batch/],
    [
      "sorted vocabularies",
      forged(ordered, { args: [z], axes: z.axes, id: later }),
      /it sorts more than one number per example/,
    ],
    [
      "a lookup of ragged tokens",
      forged(at(sum, "vocab", ordered), { axis: "batch" }),
      /it picks from the batch of an operand that still ranges over tokens/,
    ],
    ["a nameless input", forged(z, { name: undefined }), /it has no name/],
    ["a nameless parameter", forged(x, { name: 7 }), /it has no name/],
    [
      "an order of a whole number",
      forged(ordered, { args: [iota("batch")], id: later }),
      /does not take/,
    ],
    ["a sum of a truth value", forged(sum, { args: [flag], id: later }), /does not take/],
    ["a real index", forged(at(z, "vocab", ordered), { args: [z, x], id: later }), /does not take/],
    [
      "a lookup along no axis",
      forged(at(z, "vocab", ordered), { axis: "time" }),
      /"time" is not an axis/,
    ],
    [
      "an index variable of no axis",
      forged(iota("vocab"), { axis: "time" }),
      /"time" is not an axis/,
    ],
    [
      "a choice of two types",
      forged(select(flag, x, x), { args: [flag, x, flag], id: later }),
      /does not take/,
    ],
  ])("finds %s", (_what, node, expected) => {
    expect(complaint(node)).toMatch(expected);
  });

  it("finds damage below a root", () => {
    const broken = forged(exp, { op: "sin" });
    expect(complaint(forged(exp, { args: [broken], id: later }))).toMatch(/"sin"/);
  });

  it("finds a second copy of an expression", () => {
    const copy = forged(exp, { id: later });
    const user = forged(binary("plus", x, exp), { args: [exp, copy], id: later + 1 });
    expect(complaint(user)).toMatch(/it was not made by the constructors, so it is not interned/);
  });

  it("does not take 0 and −0 for one constant", () => {
    expect(() => verify([constant(0), constant(-0)], "construction")).not.toThrow();
  });

  it("does not hang on a cycle", () => {
    const args: Node[] = [];
    const cycle = forged(exp, { args });
    args.push(cycle);
    expect(complaint(cycle)).toMatch(/which is not below its own/);
  });
});
