// TRL's losses and modifiers as the language says them, against the same formulas in plain numbers on random ragged
// batches, and their gradients against central differences.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DivergenceType, TrlDpoOptions } from "../../src/objectives/trl-config.ts";
import {
  lossesIn,
  releaseOf,
  newestRelease,
  type CurrentLoss as LossType,
} from "../../src/objectives/trl-releases.ts";
import { builtIn, ipo, ldDpo, mpo, rpo, trlDpo } from "../../src/objectives/index.ts";
import { ragged } from "../support/arbitraries.ts";
import { expectLosses, onBatches } from "./compare.ts";
import * as plain from "./plain.ts";
import { disagreement } from "./slopes.ts";

const sigmoid = (x: number): number => Math.exp(plain.logSigmoid(x));

/** What a formula reads of a pair: log-ratios, scores and lengths. */
interface Pair {
  readonly h: Readonly<Record<"w" | "l", number>>;
  readonly s: Readonly<Record<"w" | "l", number>>;
  readonly n: Readonly<Record<"w" | "l", number>>;
}
type Formula = (pair: Pair, β: number, ε: number, τ: number) => number;

const { logSigmoid } = plain;
const formulas: Readonly<Record<Exclude<LossType, "sft" | "aot" | "aot_unpaired">, Formula>> = {
  sigmoid: ({ s }, β) => -logSigmoid(β * (s.w - s.l)),
  hinge: ({ s }, β) => Math.max(0, 1 - β * (s.w - s.l)),
  ipo: ({ s, n }, β) => (s.w / n.w - s.l / n.l - 1 / (2 * β)) ** 2,
  exo_pair: ({ s }, β, ε) => {
    const x = β * (s.w - s.l);
    return (
      sigmoid(x) * (logSigmoid(x) - Math.log(1 - ε)) + sigmoid(-x) * (logSigmoid(-x) - Math.log(ε))
    );
  },
  nca_pair: ({ s }, β) =>
    -logSigmoid(β * s.w) - 0.5 * logSigmoid(-β * s.w) - 0.5 * logSigmoid(-β * s.l),
  robust: ({ s }, β, ε) => {
    const x = β * (s.w - s.l);
    return (-(1 - ε) * logSigmoid(x) + ε * logSigmoid(-x)) / (1 - 2 * ε);
  },
  bco_pair: ({ s }, β) => -logSigmoid(β * s.w) - logSigmoid(-β * s.l),
  sppo_hard: ({ s }, β) => (s.w - 0.5 / β) ** 2 + (s.l + 0.5 / β) ** 2,
  apo_zero: ({ h }, β) => sigmoid(-β * h.w) + sigmoid(β * h.l),
  apo_down: ({ h }, β) => sigmoid(β * h.w) + sigmoid(-β * (h.w - h.l)),
  discopop: ({ s }, β, _ε, τ) => {
    const x = β * (s.w - s.l);
    return -logSigmoid(x) * sigmoid(-x / τ) + Math.exp(-x + logSigmoid(x / τ));
  },
  sigmoid_norm: ({ s, n }, β) => -logSigmoid(β * (s.w / n.w - s.l / n.l)),
};
const types = Object.keys(formulas) as readonly (keyof typeof formulas)[];
/** The losses that read a divergence, by release. */
const divergentIn: Readonly<Record<Since, readonly LossType[]>> = {
  "1.9": types.filter((type) => !type.startsWith("apo_")),
  "1.16": ["sigmoid", "robust", "exo_pair", "hinge", "ipo", "discopop", "sigmoid_norm"],
};

const bare: Readonly<Record<DivergenceType, (h: number, α: number) => number>> = {
  reverse_kl: (h) => h,
  forward_kl: (h) => -Math.exp(-h),
  js_divergence: (h) => logSigmoid(h),
  alpha_divergence: (h, α) =>
    Math.abs(α - 1) < 1e-6 ? h : Math.exp(Math.min((α - 1) * h, 80)) / (α - 1),
};
/** Scores are 0 at h = 0 since TRL 1.10, and were what `bare` says from 0.29 to 1.9. */
type Since = "1.9" | "1.16";
const score = (divergence: DivergenceType, h: number, α: number, since: Since): number =>
  bare[divergence](h, α) - (since === "1.9" ? 0 : bare[divergence](0, α));

const sides = ["w", "l"] as const;
type Sides = (side: "w" | "l") => number;
const both = (of: Sides): Readonly<Record<"w" | "l", number>> => ({ w: of("w"), l: of("l") });

const pairOf = (
  example: Readonly<Record<"w" | "l", plain.Sequence>>,
  divergence: DivergenceType = "reverse_kl",
  α = 0.5,
  since: Since = "1.16",
): Pair => {
  const h = both((side) => plain.logRatio(example[side]));
  return {
    h,
    s: both((side) => score(divergence, h[side], α, since)),
    n: both((side) => example[side].labels.length),
  };
};

const smoothingOf = (type: LossType, label_smoothing: number): Partial<TrlDpoOptions> =>
  type === "robust" || type === "exo_pair" ? { label_smoothing } : {};
const temperature = (type: LossType, discopop_tau: number): Partial<TrlDpoOptions> =>
  type === "discopop" ? { discopop_tau } : {};

describe.each(types)("%s", (type) => {
  it("is its formula", () => {
    const options = fc.record({
      beta: fc.constantFrom(0.01, 0.1, 1),
      ε: fc.constantFrom(0.001, 0.1, 0.4),
      τ: fc.constantFrom(0.05, 0.5),
    });
    fc.assert(
      fc.property(options, ragged(), ({ beta, ε, τ }, batch) => {
        const wanted = plain
          .examples(batch)
          .map((example) => formulas[type](pairOf(example), beta, ε, τ));
        const made = trlDpo({
          loss_type: type,
          beta,
          ...smoothingOf(type, ε),
          ...temperature(type, τ),
        });
        expectLosses(made, batch, wanted);
        expectLosses(trlDpo({ loss_type: type }), batch, wanted, {
          beta,
          label_smoothing: ε,
          discopop_tau: τ,
        });
      }),
    );
  });

  // central differences are wrong by about 1e-10 here, and hinge by its kink where a margin passes it within 1e-5
  it("has the slope of its values", () => {
    const objective = trlDpo({ loss_type: type, ...smoothingOf(type, 0.1) });
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 5 });
    fc.assert(
      fc.property(batches, (batch) => {
        expect(disagreement(objective, batch)).toBeLessThanOrEqual(1e-7);
      }),
      { numRuns: 10 },
    );
  });
});

describe("losses of sorted lists", () => {
  const ascending = (values: readonly number[]): readonly number[] =>
    values.toSorted((a, b) => a - b);
  const link = (x: number, ε: number): number => -(1 - ε) * logSigmoid(x) - ε * logSigmoid(-x);
  const cases = fc.record({ beta: fc.constantFrom(0.1, 1), ε: fc.constantFrom(0, 0.1) });

  it("aot compares sorted margins of the policy with those of the reference", () => {
    fc.assert(
      fc.property(cases, ragged(), ({ beta, ε }, batch) => {
        const examples = plain.examples(batch);
        const [policy, ref] = (["policy", "ref"] as const).map((model) =>
          ascending(examples.map(({ w, l }) => plain.total(w[model]) - plain.total(l[model]))),
        );
        const wanted = policy!.map((value, b) => link(beta * (value - ref![b]!), ε));
        expectLosses(trlDpo({ loss_type: "aot", beta, label_smoothing: ε }), batch, wanted);
      }),
    );
  });

  it("aot_unpaired compares sorted log-ratios of chosen and rejected responses", () => {
    fc.assert(
      fc.property(cases, ragged(), ({ beta, ε }, batch) => {
        const examples = plain.examples(batch);
        const [w, l] = sides.map((side) =>
          ascending(examples.map((example) => plain.logRatio(example[side]))),
        );
        const wanted = w!.map((value, b) => link(beta * (value - l![b]!), ε));
        const options = { loss_type: "aot_unpaired", beta, label_smoothing: ε } as const;
        expectLosses(trlDpo(options), batch, wanted);
      }),
    );
  });

  it.each(["aot", "aot_unpaired"] as const)("%s has the slope of its values", (loss_type) => {
    const batches = ragged({ scales: ["normal"], maxExamples: 3, maxLength: 2, maxVocab: 4 });
    fc.assert(
      fc.property(batches, (batch) => {
        expect(disagreement(trlDpo({ loss_type }), batch)).toBeLessThanOrEqual(1e-7);
      }),
      { numRuns: 10 },
    );
  });
});

describe("modifiers", () => {
  const kinds = {
    divergence: fc.constantFrom(...(["forward_kl", "js_divergence", "alpha_divergence"] as const)),
    α: fc.constantFrom(-0.5, 0.5, 0.999, 1, 2),
  };
  const inRelease = (as_of: Since) =>
    fc.record({
      as_of: fc.constant(as_of),
      type: fc.constantFrom(...(divergentIn[as_of] as readonly (keyof typeof formulas)[])),
      ...kinds,
    });
  const divergent = fc.oneof(inRelease("1.9"), inRelease("1.16"));
  const made = (
    as_of: Since,
    type: LossType,
    divergence: DivergenceType,
    α: number,
  ): TrlDpoOptions => ({
    as_of,
    loss_type: type,
    f_divergence_type: divergence,
    ...(divergence === "alpha_divergence" ? { f_alpha_divergence_coef: α } : {}),
    ...smoothingOf(type, 0.1),
  });

  it("f_divergence_type changes the scores", () => {
    fc.assert(
      fc.property(
        divergent,
        ragged({ scales: ["normal", "peaked"] }),
        ({ as_of, type, divergence, α }, batch) => {
          const wanted = plain
            .examples(batch)
            .map((example) =>
              formulas[type](pairOf(example, divergence, α, as_of), 0.1, 0.1, 0.05),
            );
          expectLosses(trlDpo(made(as_of, type, divergence, α)), batch, wanted);
        },
      ),
    );
  });

  it("f_divergence_type leaves a gradient that is the slope of the values", () => {
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 2, maxVocab: 4 });
    fc.assert(
      fc.property(divergent, batches, ({ as_of, type, divergence, α }, batch) => {
        // e^{h/2} of a log-ratio of 12 has a third derivative of some hundred
        expect(disagreement(trlDpo(made(as_of, type, divergence, α)), batch)).toBeLessThanOrEqual(
          1e-6,
        );
      }),
      { numRuns: 20 },
    );
  });

  it("ld_alpha weighs what lies beyond the shorter response, in the policy and in the reference", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0.3, 1), ragged(), (α, batch) => {
        const wanted = plain.examples(batch).map((example) => {
          const shorter = Math.min(example.w.labels.length, example.l.labels.length);
          const weighed = (values: readonly number[]): number =>
            plain.total(values.map((value, t) => (t < shorter ? value : α * value)));
          const h = both((side) => weighed(example[side].policy) - weighed(example[side].ref));
          return -logSigmoid(0.1 * (h.w - h.l));
        });
        expectLosses(trlDpo({ ld_alpha: α }), batch, wanted);
        expectLosses(ldDpo({ ld_alpha: α }), batch, wanted);
        expectLosses(ldDpo(), batch, wanted, { ld_alpha: α });
      }),
    );
  });

  it("use_weighting multiplies every loss by the weights of both responses", () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), ragged(), (type, batch) => {
        const wanted = plain.examples(batch).map((example) => {
          const weights = sides.map((side) => plain.weight(example[side], "sampled"));
          return weights[0]! * weights[1]! * formulas[type](pairOf(example), 0.1, 0.1, 0.05);
        });
        expectLosses(
          trlDpo({ loss_type: type, use_weighting: true, ...smoothingOf(type, 0.1) }),
          batch,
          wanted,
        );
      }),
    );
  });

  it("reference_free leaves the reference out", () => {
    onBatches((batch) => {
      const wanted = plain
        .examples(batch)
        .map(({ w, l }) => -logSigmoid(0.1 * (plain.total(w.policy) - plain.total(l.policy))));
      expectLosses(trlDpo({ as_of: "0.28", reference_free: true }), batch, wanted);
    });
  });
});

describe("mixtures", () => {
  it("MPO is 0.8 sigmoid + 0.2 bco_pair + sft", () => {
    onBatches((batch) => {
      const examples = plain.examples(batch);
      const likelihood = -plain.mean(examples.flatMap(({ w }) => w.policy));
      const wanted = examples.map((example) => {
        const pair = pairOf(example);
        return (
          0.8 * formulas.sigmoid(pair, 0.1, 0, 0) +
          0.2 * formulas.bco_pair(pair, 0.1, 0, 0) +
          likelihood
        );
      });
      expectLosses(mpo(), batch, wanted);
      expectLosses(
        trlDpo({ loss_type: ["sigmoid", "bco_pair", "sft"], loss_weights: [1, 1, 1] }),
        batch,
        wanted,
        { "loss_weights.sigmoid": 0.8, "loss_weights.bco_pair": 0.2, "loss_weights.sft": 1 },
      );
    });
  });

  it("RPO adds the likelihood of the chosen responses, under either name", () => {
    onBatches((batch) => {
      const examples = plain.examples(batch);
      const likelihood = -plain.mean(examples.flatMap(({ w }) => w.policy));
      const wanted = examples.map(
        (example) => formulas.sigmoid(pairOf(example), 0.1, 0, 0) + 0.5 * likelihood,
      );
      expectLosses(rpo({ rpo_alpha: 0.5 }), batch, wanted);
      expectLosses(
        trlDpo({ loss_type: ["sigmoid", "sft"], loss_weights: [1, 0.5] }),
        batch,
        wanted,
      );
    });
  });
});

describe("forms", () => {
  it("IPO of the paper is of sums", () => {
    onBatches((batch) => {
      const wanted = plain.examples(batch).map((example) => {
        const { h } = pairOf(example);
        return (h.w - h.l - 5) ** 2;
      });
      expectLosses(ipo({ length_normalised: false }), batch, wanted);
    });
  });

  it("every loss type is found by its name", () => {
    for (const type of lossesIn(releaseOf("test", newestRelease)) as readonly LossType[]) {
      if (type === "sigmoid" || type === "sft") continue;
      expect(builtIn(type).loss).toBe(
        trlDpo({ loss_type: type, ...smoothingOf(type, type === "exo_pair" ? 0.001 : 0) }).loss,
      );
    }
  });
});
