// Functions of the whole batch, from the surface down to numbers: the laws of sorting, the variance against a plain loop,
// and what cannot be sorted.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { given } from "../../src/dsl/given.ts";
import {
  constant,
  mean,
  rank,
  real,
  sort,
  square,
  variance,
  type Expr,
} from "../../src/dsl/index.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { expectError, valuesOf } from "../support/checks.ts";
import { any, describeMisuses } from "./misuse.ts";

const g = given("the test", ["w", "l"]);
const { policy, ref, y } = g;
const x = g.example("x");

const batchOf = (values: readonly number[]): Batch => ({
  examples: values.length,
  vocab: 1,
  responses: {},
  inputs: { "example.x": { height: "example", values: Float64Array.from(values) } },
});
const values = (e: Expr<{ batch: "batch" }>, list: readonly number[]): readonly number[] =>
  valuesOf(e.node, batchOf(list));

/** Few different values, so that ties are common. */
const lists = fc.array(
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -9, max: 9, noNaN: true })),
  {
    minLength: 1,
    maxLength: 30,
  },
);

describe("sort", () => {
  it("has the values of the batch in ascending order", () => {
    fc.assert(
      fc.property(lists, (list) => {
        // adding 0 makes one zero of the two
        const zeroed = list.map((value) => value + 0);
        expect(values(sort("batch", x), zeroed)).toEqual(zeroed.toSorted((a, b) => a - b));
      }),
    );
  });

  it("of a sorted value is itself", () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(values(sort("batch", sort("batch", x)), list)).toEqual(
          values(sort("batch", x), list),
        );
      }),
    );
  });

  it("is the same for the same examples in any order", () => {
    const shuffled = lists.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list], { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        const zeroed = (one: readonly number[]): readonly number[] => one.map((value) => value + 0);
        expect(values(sort("batch", x), zeroed(other))).toEqual(
          values(sort("batch", x), zeroed(list)),
        );
      }),
    );
  });

  it("leaves what is the same for all examples as it is", () => {
    expect(values(sort("batch", x.times(0).plus(3)), [5, 1, 2])).toEqual([3, 3, 3]);
  });
});

describe("rank", () => {
  it("says where each example is among the sorted ones, ties in the order of the batch", () => {
    expect(values(real(rank("batch", x)), [0.5, -1, 2, -1])).toEqual([2, 0, 3, 1]);
    fc.assert(
      fc.property(lists, (list) => {
        const zeroed = list.map((value) => value + 0);
        const sorted = values(sort("batch", x), zeroed);
        const ranks = values(real(rank("batch", x)), zeroed);
        expect(ranks.map((position) => sorted[position])).toEqual(zeroed);
      }),
    );
  });
});

describe("variance", () => {
  it("is the sum of squared deviations over the number of examples less one", () => {
    fc.assert(
      fc.property(lists, (list) => {
        fc.pre(list.length > 1);
        const average = list.reduce((sum, value) => sum + value, 0) / list.length;
        const squares = list.reduce((sum, value) => sum + (value - average) ** 2, 0);
        // a sum of 30 squares below 400 is rounded to 1e-13 of its size
        expect(values(variance("batch", x), list)[0]).toBeCloseTo(squares / (list.length - 1), 9);
      }),
    );
  });

  it("does not depend on where the values lie, and is quadratic in their scale", () => {
    const list = [1, 2, 4, 8];
    const [one] = values(variance("batch", x), list);
    expect(values(variance("batch", x.plus(100)), list)[0]).toBeCloseTo(one!, 9);
    expect(values(variance("batch", x.times(3)), list)[0]).toBeCloseTo(9 * one!, 9);
    const spread = mean("batch", square(x.minus(mean("batch", x))));
    expect(values(spread.times(4 / 3), list)[0]).toBeCloseTo(one!, 12);
  });

  it("has no value for a batch of one, and says what is divided by", () => {
    expectError(
      () => values(variance("batch", x), [1]),
      "undefined-value",
      /"over" with the divisor count\[batch\] - 1/,
    );
  });
});

describeMisuses("functions of the batch", [
  [
    "a sort of tokens",
    "axis-not-batch",
    /^sort: the expression still ranges over the tokens of "w"; reduce it/,
    () => sort("batch", any(policy.logp(y.w))),
  ],
  [
    "a sort along the tokens",
    "axis-not-batch",
    /^sort: the axis is the tokens of "w", but only the batch is meant; write sort\("batch"/,
    () => sort(any("token"), any(policy.logp(y.w))),
  ],
  [
    "a sort of one number",
    "axis-not-present",
    /^sort: the expression has no batch axis/,
    () => sort("batch", constant(1)),
  ],
  [
    "a rank of nothing",
    "not-an-expression",
    /^rank: the expression is undefined/,
    () => rank("batch", any(undefined)),
  ],
  [
    "a variance along the vocabulary",
    "axis-not-batch",
    /^variance: the axis is vocab/,
    () => variance(any("vocab"), any(ref.logits(y.l))),
  ],
  [
    "a variance of a variance",
    "axis-already-reduced",
    /^variance: the batch axis was already reduced/,
    () => variance("batch", variance("batch", x)),
  ],
]);
