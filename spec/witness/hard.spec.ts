// The points where float64 as written would lose everything: probabilities near 1 and near 0, and rows that are far from 0.
// Loss and gradient of the interpreter are held to many digits there.

import { describe, expect, it } from "vitest";
import { fromResponses } from "../../src/batch/separate.ts";
import type { Node } from "../../src/core/node.ts";
import {
  at,
  constant,
  entropy,
  exp,
  iota,
  log,
  log1mExp,
  logPi,
  logSigmoid,
  logSumExp,
  neg,
  objective,
  orpo,
  real,
  sigmoid,
  square,
  sum,
  type Expr,
  type Given,
  type PerVocab,
  where,
} from "../../src/index.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { witness } from "./evaluate.ts";

type Term = Expr<PerVocab<"w">>;
type One = Given<"w">;
const formulas: Readonly<Record<string, (g: One) => Expr>> = {
  "log π": ({ policy, y }) => sum("batch", policy.logps(y.w)),
  "log(1 − π)": ({ policy, y }) => sum("batch", log1mExp(policy.logps(y.w))),
  "log(1 − π), as it is written": ({ policy, y }) =>
    sum("batch", log(constant(1).minus(exp(policy.logps(y.w))))),
  "log odds": ({ policy, y }) => sum("batch", policy.logps(y.w).minus(log1mExp(policy.logps(y.w)))),
  "1 − π": ({ policy, y }) => sum("batch", constant(1).minus(exp(policy.logps(y.w)))),
  "−log σ(100 log π)": ({ policy, y }) =>
    sum("batch", neg(log(sigmoid(policy.logps(y.w).times(100))))),
  "−log σ of the log odds": ({ policy, y }) =>
    sum("batch", neg(logSigmoid(policy.logps(y.w).minus(log1mExp(policy.logps(y.w)))))),
  "the second log Σ": ({ policy, y }) =>
    sum(
      "batch",
      sum(
        "token",
        logSumExp("vocab", policy.logits(y.w)).minus(at(policy.logits(y.w), "vocab", y.w.ids)),
      ),
    ),
};

/** A row whose label stands `gap` nats above the others, moved by an offset. */
const row = (gap: number, offset = 0): ReturnType<typeof fromResponses> =>
  fromResponses({
    w: {
      labels: [[1]],
      policy_logits: [Float64Array.of(offset, offset + gap, offset - 2, offset)],
    },
  });

/** Largest relative error of loss and gradient. */
function worst(
  loss: Node,
  gradients: readonly Node[],
  batch: ReturnType<typeof row>,
  gap: number,
): number {
  const roots = [loss, ...gradients];
  // e^−gap has 0.43 zeros for each nat
  const known = witness(roots, batch, {}, { digits: 40 + Math.ceil(gap / 2) });
  return Math.max(
    ...evaluate(roots, batch, {}).flatMap(({ data }, root) =>
      [...data].map((x, entry) => {
        const { value } = known[root]![entry]!;
        return value.isZero() ? Math.abs(x) : value.minus(x).div(value).abs().toNumber();
      }),
    ),
  );
}

// found by random programs: 1 + (e^x − 1) is not always the float e^x, and a maximum did not equal itself
it("a probability near 1 equals the sum that picks it out", () => {
  const own = objective(
    "own",
    ["w"],
    ({ policy, y }) => {
      const p = exp(logPi(policy, y.w));
      const picked = sum("vocab", where(iota("vocab").eq(1), p, 0));
      return sum("batch", sum("token", real(picked.eq(at(p, "vocab", y.w.ids)))));
    },
    { source: "made here" },
  );
  const gaps = Array.from({ length: 300 }, (_, n) => n / 50);
  const batch = fromResponses({
    w: {
      labels: gaps.map(() => [1]),
      policy_logits: gaps.map((gap) => Float64Array.of(0, gap, -2, 0)),
    },
  });
  expect(evaluate([own.loss], batch, {})[0]!.data[0]).toBe(gaps.length);
});

describe("where float64 as written would lose the result", () => {
  const gaps = [1, 30, 34, 60, 95, 200, 500];
  it.each(Object.entries(formulas))(
    "%s and its gradient keep their digits at any gap",
    (_, make) => {
      const own = objective("own", ["w"], make, { source: "made here" });
      const { loss, gradients } = compileProgram(own);
      const nodes = gradients.map(({ node }) => node);
      for (const gap of gaps) {
        expect(worst(loss, nodes, row(gap), gap), `gap ${gap}`).toBeLessThan(1e-12);
        expect(worst(loss, nodes, row(gap, 2 ** 20), gap), `gap ${gap}, moved`).toBeLessThan(1e-12);
      }
    },
  );

  it("so do those of what is hardly ever said", () => {
    for (const [name, make] of Object.entries(formulas)) {
      // 1 − e^−34 is not a float: log of it has three digits as it is written
      if (name.endsWith("written")) continue;
      const own = objective("own", ["w"], make, { source: "made here" });
      const { loss, gradients } = compileProgram(own);
      const nodes = gradients.map(({ node }) => node);
      // −log σ(−950) is infinite as it is written, and is evaluated as its identities make it
      for (const gap of [-9.5, -34, -95, -500])
        expect(worst(loss, nodes, row(gap), -gap), `${name}, gap ${gap}`).toBeLessThan(1e-12);
    }
  });

  it("divergences of models that are near each other keep half of float64's digits", () => {
    const logits = Float64Array.from({ length: 40 }, (_, v) => 3 * Math.sin(v * v));
    const terms: Readonly<Record<string, (p: Term, q: Term) => Term>> = {
      "KL(π_ref, π)": (p, q) => exp(q).times(q.minus(p)),
      "KL(π, π_ref)": (p, q) => exp(p).times(p.minus(q)),
      JSD: (p, q) => {
        const middle = log(exp(p).plus(exp(q)).over(2));
        return exp(p)
          .times(p.minus(middle))
          .plus(exp(q).times(q.minus(middle)));
      },
      "Σ(π − π_ref)²": (p, q) => square(exp(p).minus(exp(q))),
    };
    for (const [name, term] of Object.entries(terms)) {
      const own = objective(
        "own",
        ["w"],
        ({ policy, ref, y }) =>
          sum("batch", sum("token", sum("vocab", term(logPi(policy, y.w), logPi(ref, y.w))))),
        { source: "made here" },
      );
      const { loss, gradients } = compileProgram(own);
      const nodes = gradients.map(({ node }) => node);
      for (const distance of [1e-3, 1e-2, 1e-1, 1]) {
        const near = fromResponses({
          w: {
            labels: [[7]],
            policy_logits: [logits.map((z, v) => z + distance * Math.cos(v))],
            ref_logits: [logits],
          },
        });
        const [value] = evaluate([loss], near, {});
        const [known] = witness([loss], near, {});
        const right = known![0]!.value;
        expect(right.minus(value!.data[0]!).div(right).abs().toNumber(), name).toBeLessThan(1e-8);
        const slopes = evaluate(nodes, near, {})[0]!.data;
        const due = witness(nodes, near, {})[0]!.map((one) => one.value.toNumber());
        const largest = Math.max(...due.map(Math.abs));
        const off = Math.max(...due.map((x, v) => Math.abs(x - slopes[v]!)));
        expect(off / largest, `${name}, gradient`).toBeLessThan(1e-10);
      }
    }
  });

  it("the slope of an entropy near 0 is its own", () => {
    const own = objective("own", ["w"], ({ policy, y }) => sum("token", entropy(policy, y.w)), {
      source: "made here",
    });
    const { loss, gradients } = compileProgram(own);
    const nodes = gradients.map(({ node }) => node);
    for (const gap of [1, 60, 95, 200, 500])
      expect(worst(loss, nodes, row(gap), gap), `gap ${gap}`).toBeLessThan(1e-12);
  });

  it("four equal logits of 1e30 have the probability 1/4", () => {
    const own = objective("own", ["w"], formulas["log π"]!, { source: "made here" });
    const { loss, gradients } = compileProgram(own);
    const nodes = gradients.map(({ node }) => node);
    expect(worst(loss, nodes, row(0, 1e30), 60)).toBeLessThan(1e-15);
  });

  it("ORPO's loss and gradient keep their digits up to the odds that it ends at", () => {
    const { loss, gradients } = compileProgram(orpo({ likelihood: "completion" }));
    const nodes = gradients.map(({ node }) => node);
    for (const [chosen, rejected] of [
      [1, 30],
      [34, 1],
      [60, 30],
      [30, 60],
      [80, -80],
      [-120, 34],
    ] as const) {
      const both = fromResponses(
        Object.fromEntries(
          [chosen, rejected].map((gap, n) => [
            ["w", "l"][n]!,
            { labels: [[1]], policy_logits: [Float64Array.of(0, gap, -2, 0)] },
          ]),
        ),
      );
      expect(worst(loss, nodes, both, 160), `gaps ${chosen} and ${rejected}`).toBeLessThan(1e-12);
    }
  });
});
