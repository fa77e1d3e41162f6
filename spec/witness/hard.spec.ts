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
  log,
  log1mExp,
  logSigmoid,
  logSumExp,
  neg,
  objective,
  orpo,
  sigmoid,
  sum,
  type Expr,
  type Given,
} from "../../src/index.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { witness } from "./evaluate.ts";

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
