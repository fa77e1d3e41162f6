// What the sugar of the surface language means: each function that is built from others, against the formula
// of its docstring on random numbers, and the two places where its gradient is a promise.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { reduce } from "../../src/core/build.ts";
import {
  at,
  clamp,
  constant,
  count,
  exp,
  iota,
  logSoftmax,
  max,
  mean,
  min,
  objective,
  param,
  real,
  referenceFree,
  softplus,
  stopGrad,
  sum,
  where,
  type AnyExpr,
  type Expr,
  type PerExample,
} from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";

const { policy, ref, y, reward } = given("the test", ["w", "l"]);

/** Sums of a few float64 terms of ordinary size, in two orders. */
const rounding = 1e-12;

const values = (e: AnyExpr, batch: Batch): readonly number[] => [
  ...evaluate([e.node], batch, {})[0]!.data,
];

function expectClose(actual: readonly number[], wanted: readonly number[], scale = 1): void {
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, index) =>
    expect(Math.abs(value - wanted[index]!)).toBeLessThanOrEqual(
      rounding * scale * Math.max(1, Math.abs(wanted[index]!)),
    ),
  );
}

const onBatches = (claim: (batch: Batch) => void): void => fc.assert(fc.property(ragged(), claim));

/** A batch of numbers alone, entering as rewards of "w". */
const rewards = (data: readonly number[]): Batch => ({
  examples: data.length,
  vocab: 2,
  responses: {
    w: {
      offsets: Uint32Array.from({ length: data.length + 1 }, (_, b) => b),
      labels: new Uint32Array(data.length),
    },
  },
  inputs: { "reward.w": { height: "example", values: Float64Array.from(data) } },
});

/** d Σ_b f(r_b) / d r */
const derivative = (f: Expr<PerExample>, data: readonly number[]): readonly number[] => {
  const r = reward(y.w);
  const [slope] = gradient(reduce("sum", "batch", f.node), [r.node]);
  const found = evaluate([slope!], rewards(data), {})[0]!;
  // a derivative that does not depend on the example is one number
  return found.axes.length === 0 ? data.map(() => found.data[0]!) : [...found.data];
};

describe("reductions", () => {
  it("takes the mean over the tokens that there are", () => {
    onBatches((batch) => {
      const totals = values(sum("token", ref.logp(y.w)), batch);
      const { offsets } = batch.responses["w"]!;
      expectClose(
        values(mean("token", ref.logp(y.w)), batch),
        totals.map((total, b) => total / (offsets[b + 1]! - offsets[b]!)),
      );
    });
  });

  it("finds the smallest as the largest of the negated", () => {
    onBatches((batch) => {
      const per = values(ref.logp(y.l), batch);
      const { offsets } = batch.responses["l"]!;
      const smallest = Array.from({ length: batch.examples }, (_, b) =>
        Math.min(...per.slice(offsets[b], offsets[b + 1])),
      );
      expect(values(min("token", ref.logp(y.l)), batch)).toEqual(smallest);
    });
  });

  it("normalises along an axis", () => {
    onBatches((batch) => {
      const total = values(sum("vocab", exp(logSoftmax("vocab", policy.logits(y.w)))), batch);
      expectClose(
        total,
        total.map(() => 1),
        100,
      );
    });
  });

  it("reads log π(y_t) at every height alike", () => {
    onBatches((batch) => {
      const spelled = at(logSoftmax("vocab", policy.logits(y.w)), "vocab", y.w.ids);
      expect(spelled.node).toBe(policy.logp(y.w).node);
      expect(sum("token", spelled).node).toBe(policy.logps(y.w).node);
      expect(values(spelled, batch).every((value) => value <= 1e-9)).toBe(true);
    });
  });

  it("counts tokens, examples and entries, and numbers them from zero", () => {
    onBatches((batch) => {
      const { offsets } = batch.responses["w"]!;
      const lengths = Array.from(
        { length: batch.examples },
        (_, b) => offsets[b + 1]! - offsets[b]!,
      );
      expect(values(count("token", y.w), batch)).toEqual(lengths);
      expect(values(y.w.count, batch)).toEqual(lengths);
      expect(values(count("batch"), batch)).toEqual([batch.examples]);
      expect(values(count("vocab"), batch)).toEqual([batch.vocab]);
      expect(values(max("token", real(iota("token", y.w))), batch)).toEqual(
        lengths.map((length) => length - 1),
      );
    });
  });
});

describe("elementwise functions", () => {
  const numbers = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), {
    minLength: 1,
    maxLength: 4,
  });
  const onNumbers = (claim: (data: readonly number[]) => void): void =>
    fc.assert(fc.property(numbers, claim));

  it("softplus is log(1 + e^x)", () => {
    onNumbers((data) =>
      expectClose(
        values(softplus(reward(y.w)), rewards(data)),
        data.map((x) => Math.log1p(Math.exp(x))),
      ),
    );
  });

  it("clamp keeps values within bounds, of which either may be an expression", () => {
    onNumbers((data) => {
      const x = reward(y.w);
      expect(values(clamp(x, { min: -1, max: 2 }), rewards(data))).toEqual(
        data.map((v) => Math.min(Math.max(v, -1), 2)),
      );
      expect(values(clamp(x, { min: constant(0.5) }), rewards(data))).toEqual(
        data.map((v) => Math.max(v, 0.5)),
      );
      expect(values(clamp(0, { max: x }), rewards(data))).toEqual(data.map((v) => (v < 0 ? v : 0)));
    });
  });

  it("clamp passes the gradient at a bound and stops it beyond", () => {
    const clamped = clamp(reward(y.w), { min: -1, max: 2 });
    expect(derivative(clamped, [-1.5, -1, 0, 2, 2.5])).toEqual([0, 1, 1, 1, 0]);
  });

  it("where and the comparisons choose at every index", () => {
    onNumbers((data) => {
      const x = reward(y.w);
      const inside = x.ge(-1).and(x.gt(2).not()).or(x.eq(7));
      expect(values(where(inside, x, 0), rewards(data))).toEqual(
        data.map((v) => ((v >= -1 && v <= 2) || v === 7 ? v : 0)),
      );
      expect(values(real(x.ne(0)), rewards(data))).toEqual(data.map((v) => Number(v !== 0)));
      expect(values(real(x.lt(0)).plus(real(x.le(0))), rewards(data))).toEqual(
        data.map((v) => Number(v < 0) + Number(v <= 0)),
      );
    });
  });

  it("stopGrad keeps the value and has no derivative", () => {
    const x = reward(y.w);
    expect(derivative(stopGrad(x).times(x), [3, -2])).toEqual([3, -2]);
  });
});

describe("an objective without a reference", () => {
  const about = { source: "a test" };
  const loss = objective(
    "o",
    ["w"],
    ({ policy, ref, y }) =>
      policy
        .logps(y.w)
        .minus(sum("token", ref.logp(y.w)))
        .plus(ref.logps(y.w)),
    about,
  );

  it("reads zeros for its log-probabilities", () => {
    onBatches((batch) => {
      const free = referenceFree(loss);
      expect(free.name).toBe("o reference-free");
      expect(evaluate([free.loss], batch, {})[0]!.data).toEqual(
        evaluate([policy.logps(y.w).node], batch, {})[0]!.data,
      );
    });
  });

  it("has no logits", () => {
    const needing = objective(
      "o",
      ["w"],
      ({ ref, y }) => sum("token", max("vocab", ref.logits(y.w))),
      about,
    );
    expect(() => referenceFree(needing)).toThrow(
      /^ref\.logits: a reference-free objective has no reference logits/,
    );
  });
});

describe("a parameter", () => {
  it("has one default wherever it is written", () => {
    const made = objective(
      "o",
      ["w"],
      ({ policy, y }) => policy.logps(y.w).times(param("beta", 0.1)).plus(param("beta")),
      { source: "a test" },
    );
    onBatches((batch) => {
      const [logps] = evaluate([policy.logps(y.w).node], batch, {});
      expectClose(
        [...evaluate([made.loss], batch, {})[0]!.data],
        [...logps!.data].map((value) => value * 0.1 + 0.1),
      );
      expectClose(
        [...evaluate([made.loss], batch, { beta: 2 })[0]!.data],
        [...logps!.data].map((value) => value * 2 + 2),
      );
    });
  });
});
