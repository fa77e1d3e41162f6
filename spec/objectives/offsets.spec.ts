// Variations of DPO and of SimPO against the equations of their papers in loops of plain numbers, and their gradients against
// central differences.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import * as made from "../../src/objectives/index.ts";
import type { PairwiseObjective } from "../../src/objectives/index.ts";
import { ragged } from "../support/arbitraries.ts";
import { expectLosses } from "./compare.ts";
import * as plain from "./plain.ts";
import { disagreement } from "./slopes.ts";

interface Pair {
  readonly h: Readonly<Record<"w" | "l", number>>;
  readonly average: Readonly<Record<"w" | "l", number>>;
  readonly decayed: number;
  readonly gap: number;
}
const { logSigmoid } = plain;
const sigmoid = (x: number): number => Math.exp(logSigmoid(x));
const relu = (x: number): number => Math.max(0, x);

const β = 0.1;
const cases: Readonly<Record<string, readonly [PairwiseObjective, (p: Pair) => number]>> = {
  dpop: [made.dpop(), ({ h }) => -logSigmoid(β * (h.w - h.l - 50 * relu(-h.w)))],
  "minor-dpo": [made.minorDpo(), ({ h }) => -logSigmoid(β * (h.w - relu(h.l)))],
  odpo: [made.odpo(), ({ h, gap }) => -logSigmoid(β * (h.w - h.l) - Math.log(gap))],
  "chi-po": [
    made.chiPo({ r_max: 1 }),
    ({ h }) => {
      const x = β * (Math.exp(h.w) + h.w - Math.exp(h.l) - h.l);
      return -logSigmoid(Math.min(Math.max(x, -2), 2));
    },
  ],
  "focal-po": [
    made.focalPo(),
    ({ h }) => {
      const p = sigmoid(β * (h.w - h.l));
      return -(p ** 0.05) * Math.log(p);
    },
  ],
  d2po: [made.d2po(), ({ decayed }) => -logSigmoid(β * decayed)],
  infonca: [
    made.infoNca(),
    ({ h, gap }) => {
      const [p, x] = [sigmoid(gap), β * (h.w - h.l)];
      return -p * logSigmoid(x) - (1 - p) * logSigmoid(-x);
    },
  ],
  nca: [
    made.nca(),
    ({ h, gap }) => {
      const [p, w, l] = [sigmoid(gap), β * h.w, β * h.l];
      return -p * logSigmoid(w) - (1 - p) * logSigmoid(l) - (logSigmoid(-w) + logSigmoid(-l)) / 2;
    },
  ],
  simper: [made.simper(), ({ average }) => Math.exp(average.l) - Math.exp(average.w)],
  repo: [made.repo(), ({ average }) => relu(0.5 - (average.w - average.l))],
};

const decay = ({ policy, ref }: plain.Sequence): number =>
  plain.total(policy.map((value, t) => 0.98 ** t * (value - ref[t]!)));

/** A batch with known rewards, of which the chosen one is the larger. */
function scored(batch: Batch): { readonly batch: Batch; readonly gaps: readonly number[] } {
  const gaps = Array.from({ length: batch.examples }, (_, b) => 0.25 + b);
  const example = (values: readonly number[]) =>
    ({ height: "example", values: Float64Array.from(values) }) as const;
  const inputs = {
    ...batch.inputs,
    "example.chosen_reward": example(gaps),
    "example.rejected_reward": example(gaps.map(() => 0)),
  };
  return { batch: { ...batch, inputs }, gaps };
}

describe.each(Object.keys(cases))("%s", (name) => {
  const [objective, formula] = cases[name]!;

  it("is its equation", () => {
    fc.assert(
      fc.property(ragged({ scales: ["normal", "peaked"] }), (drawn) => {
        const { batch, gaps } = scored(drawn);
        const wanted = plain.examples(batch).map(({ w, l }, b) =>
          formula({
            h: { w: plain.logRatio(w), l: plain.logRatio(l) },
            average: { w: plain.mean(w.policy), l: plain.mean(l.policy) },
            decayed: decay(w) - decay(l),
            gap: gaps[b]!,
          }),
        );
        expectLosses(objective, batch, wanted);
      }),
    );
  });

  it("has the slope of its values", () => {
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 5 });
    fc.assert(
      fc.property(batches, (drawn) => {
        expect(disagreement(objective, scored(drawn).batch)).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 10 },
    );
  });
});
