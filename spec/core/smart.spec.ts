// The constructors with which cotangents are built are identities: whatever they leave out, fold or turn round, the value is
// that of the plain operator, in the calculus in which 0·x = 0.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smart, sumOver } from "../../src/core/smart.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { binary, constant, input, iota, reduce, select, unary } from "../../src/core/build.ts";
import type { Axis } from "../../src/core/axis.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";

const batch: Batch = {
  examples: 2,
  vocab: 3,
  responses: {
    w: { offsets: Uint32Array.from([0, 1, 3]), labels: Uint32Array.from([2, 0, 1]) },
  },
  inputs: {
    "tokens.u.w": { height: "token", values: Float64Array.from([0.5, -3, 7]) },
    "example.m": { height: "example", values: Float64Array.from([-2, 11]) },
  },
};
const space: readonly Axis[] = ["batch", "token.w", "vocab"];
const [u, m, label] = [
  input("tokens.u.w", ["batch", "token.w"]),
  input("example.m", ["batch"]),
  input("ids.w", ["batch", "token.w"], "i32"),
];
const isLabel = binary("eq", iota("vocab"), label);
const zero = constant(0);

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.constantFrom(0, 1, -1, -0, 2, -3, 1e300, -1e300).map((value) => constant(value)),
  fc.constantFrom(
    u,
    m,
    unary("toReal", iota("vocab")),
    select(isLabel, u, zero),
    select(isLabel, unary("toReal", iota("vocab")), zero),
    select(isLabel, u, constant(1)),
    select(binary("eq", iota("vocab"), iota("vocab")), u, zero),
    select(binary("gt", m, u), u, zero),
    // what 0 is multiplied by may be anything
    binary("over", constant(1), zero),
  ),
);
const term = fc.oneof(
  leaf,
  leaf.map((x) => unary("neg", x)),
  fc.tuple(leaf, leaf).map(([a, b]) => binary("times", a, b)),
);

const table = (node: Node): readonly number[] => [
  ...expand(evaluate([select(constant(1, "bool"), node, zero)], batch, {})[0]!, space, batch).data,
];

/** Both sides over the whole space; 0 and −0 are one value. A side that is no number makes the pair meaningless. */
const expectSame = (actual: Node, plain: Node): void => {
  let right: readonly number[];
  try {
    right = table(plain);
  } catch (error) {
    const codes = ["undefined-value", "infinite-value"];
    fc.pre(!(error instanceof PrefcError && codes.includes(error.code)));
    throw error;
  }
  table(actual).forEach((value, position) => {
    const due = right[position]!;
    const close =
      value === due || Math.abs(value - due) <= 1e-12 * Math.max(1, Math.abs(due), Math.abs(value));
    expect(close, `${value} for ${due} at ${position}`).toBe(true);
  });
};

describe("the constructors of cotangents are identities", () => {
  it("negate", () => {
    fc.assert(fc.property(term, (x) => expectSame(smart.neg(x), unary("neg", x))));
    expect(smart.neg(constant(0))).toBe(constant(0));
    expect(smart.neg(smart.neg(u))).toBe(u);
  });

  it("plus", () => {
    fc.assert(
      fc.property(term, term, (a, b) => expectSame(smart.plus(a, b), binary("plus", a, b))),
      { numRuns: 500 },
    );
    expect(smart.plus(u, zero)).toBe(u);
    expect(smart.plus(zero, u)).toBe(u);
    expect(smart.plus(constant(2), constant(3))).toBe(constant(5));
    expect(smart.plus(u, unary("neg", m))).toBe(binary("minus", u, m));
    // a sum that leaves the range of numbers stays a sum
    const huge = constant(1.5e308);
    expect(smart.plus(huge, huge)).toBe(binary("plus", huge, huge));
  });

  it("times", () => {
    fc.assert(
      fc.property(term, term, (a, b) => expectSame(smart.times(a, b), binary("times", a, b))),
      { numRuns: 500 },
    );
    expect(smart.times(zero, binary("over", u, zero))).toBe(zero);
    expect(smart.times(u, constant(1))).toBe(u);
    expect(smart.times(constant(-1), u)).toBe(unary("neg", u));
    expect(smart.times(constant(2), constant(-3))).toBe(constant(-6));
    expect(smart.times(unary("neg", u), unary("neg", m))).toBe(binary("times", u, m));
    const huge = constant(1e200);
    expect(smart.times(huge, huge)).toBe(binary("times", huge, huge));
  });

  it("sumOver", () => {
    // the batch of what ranges over tokens cannot be bound
    const bound = fc.constantFrom<Axis>("vocab", "token.w");
    fc.assert(
      fc.property(bound, term, (axis, x) => expectSame(sumOver(axis, x), reduce("sum", axis, x))),
      { numRuns: 500 },
    );
    expect(sumOver("vocab", zero)).toBe(zero);
    expect(sumOver("vocab", select(isLabel, u, zero))).toBe(u);
    const own = select(isLabel, unary("toReal", iota("vocab")), zero);
    expect(sumOver("vocab", own)).toBe(reduce("sum", "vocab", own));
  });
});
