// Permutations of the batch as core terms: which are well formed, how they are written, and that the two kinds are inverse
// to each other for any values, ties included.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at, constant, count, input, iota, param, sort, state } from "../../src/core/build.ts";
import { exampleInput, tokenInput } from "../../src/core/inputs.ts";
import { sortOps, type SortOp } from "../../src/core/ops.ts";
import { parse } from "../../src/core/parse.ts";
import { print, printExpression } from "../../src/core/print.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { expectError } from "../support/checks.ts";

const x = exampleInput("x");
const ops = Object.keys(sortOps) as readonly SortOp[];
/** Few different values, so that ties are common, and both zeros. */
const values = fc.array(
  fc.oneof(fc.constantFrom(-1, -0, 0, 1, 2), fc.double({ noNaN: true, noDefaultInfinity: true })),
  { maxLength: 40 },
);

describe("a sorted value per example", () => {
  it("is an index per example", () => {
    for (const op of ops) {
      expect(sort(op, "batch", x)).toMatchObject({ dtype: "i32", axes: ["batch"] });
      expect(sort(op, "batch", param("p")).axes).toEqual(["batch"]);
    }
  });

  it("is not made of tokens, of another axis, or of what is no real", () => {
    const tokens = tokenInput("u", "w");
    expectError(() => sort("order", "batch", tokens), "sort-axis", /tokens of "w"; reduce/);
    expectError(() => sort("rank", "batch", input("q", ["vocab"])), "sort-axis", /vocab/);
    expectError(() => sort("rank", "token.w", tokens), "sort-axis", /only the batch/);
    expectError(() => sort("order", "batch", iota("batch")), "dtype-mismatch", /i32/);
  });

  it("picks from values per example only, because tokens are ragged", () => {
    const order = sort("order", "batch", x);
    expectError(() => at(tokenInput("u", "w"), "batch", order), "ragged-order", /reduce the token/);
    expect(at(x, "batch", order).axes).toEqual(["batch"]);
  });

  it("is written with its axis, and read back", () => {
    const sorted = at(x, "batch", sort("order", "batch", x));
    expect(print({ sorted })).toBe(
      '%0: f32[batch] = input "example.x"\n%1: i32[batch] = order[batch] %0\n' +
        "%2: f32[batch] = at[batch] %0, %1\nreturn sorted = %2\n",
    );
    expect(parse(print({ sorted }))["sorted"]).toBe(sorted);
    expect(printExpression(sorted)).toBe("example.x[batch = order[batch](example.x)]");
  });

  it("of one number is the order of the batch", () => {
    const [order, rank] = simplify(ops.map((op) => sort(op, "batch", count("batch")))).roots;
    expect([order, rank]).toEqual([iota("batch"), iota("batch")]);
  });

  it("is undone by its inverse", () => {
    const y = exampleInput("y");
    const [order, rank] = [sort("order", "batch", y), sort("rank", "batch", y)];
    const there = at(at(x, "batch", order), "batch", rank);
    const back = at(at(x, "batch", rank), "batch", order);
    expect(simplify([there, back]).roots).toEqual([x, x]);
  });
});

describe("the meaning of a permutation", () => {
  it("is every position once, in ascending order of the values, ties in their own order", () => {
    fc.assert(
      fc.property(values, (list) => {
        const order = sortOps.order.reference(list);
        expect(order.toSorted((i, j) => i - j)).toEqual(list.map((_, position) => position));
        for (let i = 1; i < order.length; i++) {
          const [before, after] = [order[i - 1]!, order[i]!];
          const [x, y] = [list[before]!, list[after]!];
          expect(x < y || (x === y && before < after)).toBe(true);
        }
      }),
    );
  });

  it("has the other kind as its inverse", () => {
    fc.assert(
      fc.property(values, (list) => {
        for (const op of ops) {
          const [there, back] = [sortOps[op], sortOps[sortOps[op].inverse]];
          const composed = there.reference(list).map((position) => back.reference(list)[position]);
          expect(composed).toEqual(list.map((_, position) => position));
        }
      }),
    );
  });
});

describe("a state", () => {
  it("is a scalar with a beginning, apart from a parameter of its name", () => {
    expect(state("m", 0)).toMatchObject({ dtype: "f32", axes: [], initial: 0 });
    expect(state("m", 0)).toBe(state("m", 0));
    expect(state("m", 0)).not.toBe(param("m", 0));
    expect(state("m", 0)).not.toBe(state("m", 1));
  });

  it("begins with a finite number", () => {
    expectError(() => state("m", Infinity), "state-not-finite", /"m"/, /finite number/);
  });

  it("is written as one, and read back", () => {
    expect(print({ m: state("m", 0.5) })).toBe('%0: f32 = state "m" = 0.5\nreturn m = %0\n');
    expect(parse(print({ m: state("m", -0) }))["m"]).toBe(state("m", -0));
    expectError(() => parse('%0: f32 = state "m"'), "parse-error", /expected "="/);
    expect(constant(0)).not.toBe(state("m", 0));
  });
});
