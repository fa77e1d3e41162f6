// The gradient through an order of the batch: what is sorted gets its cotangent back through the inverse permutation, which
// central differences confirm wherever no two values are so close that the differences exchange them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { at, binary, iota, reduce, sort, stop, unary } from "../../src/core/build.ts";
import { rewardInput } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { expectError, valuesOf } from "../support/checks.ts";

const [w, l] = [rewardInput("w"), rewardInput("l")];
const total = (x: Node): Node => reduce("sum", "batch", x);
const sorted = (x: Node): Node => at(x, "batch", sort("order", "batch", x));
const ranked = (x: Node): Node => unary("toReal", sort("rank", "batch", x));
const minus = (a: Node, b: Node): Node => binary("minus", a, b);
const weigh = (x: Node): Node => binary("times", x, unary("toReal", iota("batch")));

/** Each of them depends on where an example comes, so that a forgotten or a doubled permutation shows. */
const losses: Readonly<Record<string, Node>> = {
  "two sorts": total(unary("logSigmoid", minus(sorted(w), sorted(l)))),
  "a sort of a difference": total(unary("square", weigh(sorted(minus(w, l))))),
  "a sort under a stop": total(binary("times", stop(sorted(w)), weigh(sorted(l)))),
  "ranks as weights": total(binary("times", ranked(w), unary("square", l))),
  "sorted twice": total(weigh(sorted(unary("neg", sorted(w))))),
  "the order of another value": total(weigh(at(w, "batch", sort("order", "batch", l)))),
  "the ranks of another value": total(
    weigh(at(unary("exp", w), "batch", sort("rank", "batch", l))),
  ),
  "a loss of all examples for each": total(
    unary("square", minus(sorted(w), total(unary("sigmoid", l)))),
  ),
};

const step = 1e-5;

/** One value per example on a grid that is far wider than the steps of the differences, each value once. */
const column = (examples: number): fc.Arbitrary<readonly number[]> =>
  fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: examples, maxLength: examples });
const rewards = fc
  .integer({ min: 1, max: 12 })
  .chain((examples) => fc.tuple(column(examples), column(examples)))
  .map(([first, second]) => ({
    w: Float64Array.from(first, (n) => n / 16),
    l: Float64Array.from(second, (n, example) => n / 16 + example / 256),
  }));

const batchOf = ({ w: first, l: second }: Record<"w" | "l", Float64Array>): Batch => ({
  examples: first.length,
  vocab: 1,
  responses: {},
  inputs: {
    "reward.w": { height: "example", values: first },
    "reward.l": { height: "example", values: second },
  },
});
const apart = (values: Float64Array): boolean =>
  values.toSorted().every((value, i, all) => i === 0 || value - all[i - 1]! > 8 * step);

describe("the gradient through a sort", () => {
  it.each(Object.entries(losses))("%s", (_name, loss) => {
    const inputs = topological([loss]).filter((node) => node === w || node === l);
    const slopes = gradient(loss, inputs);
    fc.assert(
      fc.property(rewards, (given) => {
        fc.pre(apart(given.w.map((value, example) => value - given.l[example]!)));
        const batch = batchOf(given);
        evaluate(slopes, batch, {}).forEach((slope, n) => {
          const name = inputs[n] === w ? "reward.w" : "reward.l";
          const right = centralDifference(loss, name, batch, {}, { epsilon: step }).data;
          const { data } = expand(slope, ["batch"], batch);
          const size = Math.max(1, ...data.map(Math.abs));
          // e^6 at most is differentiated three times and h² = 1e-10; rounding is 1e-16 / h of values below 1e3
          right.forEach((value, i) => expect(Math.abs(value - data[i]!)).toBeLessThan(1e-6 * size));
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("the rule itself", () => {
  it("is the cotangent at the rank, and the reverse", () => {
    const [order, rank] = [sort("order", "batch", w), sort("rank", "batch", w)];
    const cotangent = unary("toReal", iota("batch"));
    expect(gradient(total(weigh(at(l, "batch", order))), [l])[0]).toBe(
      at(cotangent, "batch", rank),
    );
    expect(gradient(total(weigh(at(l, "batch", rank))), [l])[0]).toBe(
      at(cotangent, "batch", order),
    );
  });

  it("passes a cotangent that is the same everywhere without permuting it", () => {
    const batch = { examples: 2, vocab: 1, responses: {}, inputs: {} };
    expect(valuesOf(gradient(total(sorted(w)), [w])[0]!, batch)).toEqual([1]);
  });

  it("gives no gradient to the values that only decide the order", () => {
    const loss = total(weigh(at(l, "batch", sort("order", "batch", w))));
    expect(valuesOf(gradient(loss, [w])[0]!)).toEqual([0]);
  });

  it("refuses to pick from the batch by any other index", () => {
    const reversed = unary("toReal", iota("batch"));
    const index = at(iota("batch"), "batch", sort("order", "batch", reversed));
    const shifted = binary("plus", index, index);
    expectError(
      () => gradient(total(at(w, "batch", shifted)), [w]),
      "gradient-of-at",
      /only an order of the batch has a gradient/,
    );
  });
});
