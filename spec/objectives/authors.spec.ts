// The losses of pairs that authors published beside TRL's, against plain loops on random ragged batches: those that are
// given numbers (SPPO, NeMo), those in which pairs meet (Cal-DPO, the losses found with DiscoPOP), those with a state.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { checkBatch, inputsNeeded } from "../../src/batch/check.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { reduce } from "../../src/core/build.ts";
import { topological } from "../../src/core/node.ts";
import { checkObjective } from "../../src/check/check.ts";
import { checkDivisors, knownDivisors } from "../../src/reference/divisors.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { authorEntries } from "../../src/objectives/author-entries.ts";
import {
  aqfl,
  aql,
  calDpo,
  cell,
  dbaql,
  dpo,
  ktoPair,
  llamaFactory,
  lrml,
  nemo,
  padll,
  pfl,
  shiftedBcoPair,
  sppo,
  type NemoOptions,
} from "../../src/objectives/index.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { ragged } from "../support/arbitraries.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";

const softplus = (x: number): number => -plain.logSigmoid(-x);
const sigmoid = (x: number): number => Math.exp(plain.logSigmoid(x));
const ratios = (batch: Batch): readonly (readonly [w: number, l: number])[] =>
  plain.examples(batch).map(({ w, l }) => [plain.logRatio(w), plain.logRatio(l)]);
const margins = (batch: Batch): readonly number[] => ratios(batch).map(([w, l]) => w - l);
const onPairs = (claim: (batch: Batch) => void): void =>
  fc.assert(
    fc.property(
      ragged().filter(({ examples }) => examples > 1),
      claim,
    ),
  );

/** A batch with numbers per example under these names. */
const withNumbers = (
  batch: Batch,
  numbers: Readonly<Record<string, readonly number[]>>,
): Batch => ({
  ...batch,
  inputs: {
    ...batch.inputs,
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, given]) => [
        `example.${name}`,
        { height: "example" as const, values: Float64Array.from(given) },
      ]),
    ),
  },
});
/** Numbers that differ from example to example. */
const spread = ({ examples }: Batch, from: number, step: number): readonly number[] =>
  Array.from({ length: examples }, (_, b) => from + step * b);

describe("cal-dpo", () => {
  it("adds the distance of the log-ratios from their targets, averaged over the batch, to every pair", () => {
    onBatches((batch) => {
      const h = ratios(batch);
      const distance =
        (plain.mean(h.map(([w]) => (w - 1) ** 2)) + plain.mean(h.map(([, l]) => (l + 1) ** 2))) / 2;
      expectLosses(
        calDpo({ beta: 0.5 }),
        batch,
        h.map(([w, l]) => softplus(l - w) + distance),
      );
    });
  });
});

describe("sppo", () => {
  it("draws log-ratios to given winning probabilities", () => {
    onBatches((batch) => {
      const [win, lose] = [spread(batch, 0.5, 0.1), spread(batch, 0.3, -0.05)];
      const given = withNumbers(batch, {
        chosen_probs_win: win,
        chosen_probs_lose: lose,
        chosen_probs: win,
      });
      const wanted = (beta: number, lost: (b: number) => number): readonly number[] =>
        ratios(batch).map(
          ([w, l], b) =>
            ((w - (win[b]! - 0.5) / beta) ** 2 + (l - (lost(b) - 0.5) / beta) ** 2) / 2,
        );
      expectLosses(
        sppo(),
        given,
        wanted(0.001, (b) => lose[b]!),
      );
      expectLosses(
        sppo({ loss_type: "sppo_single", beta: 0.2 }),
        given,
        wanted(0.2, (b) => 1 - win[b]!),
      );
    });
  });

  it("says which probabilities a batch lacks", () => {
    const [batch] = fc.sample(ragged(), { numRuns: 1, seed: 1 });
    expect(() => checkBatch(batch!, inputsNeeded([sppo().loss]))).toThrow(/chosen_probs_/);
  });
});

describe("nemo", () => {
  const kl = (a: number, b: number): number =>
    sigmoid(a) * (plain.logSigmoid(a) - plain.logSigmoid(b)) +
    sigmoid(-a) * (plain.logSigmoid(-a) - plain.logSigmoid(-b));
  const losses: Readonly<Record<string, (Δ: number, known: number) => number>> = {
    dpo: (Δ) => softplus(-0.2 * Δ),
    ipo: (Δ) => (Δ - 2.5) ** 2,
    rpo_bwd_kl: (Δ, known) => kl(known, 0.2 * Δ),
    rpo_fwd_kl: (Δ, known) => kl(0.2 * Δ, known),
    rpo_sq: (Δ, known) => (0.2 * Δ - known) ** 2,
  };

  it.each(Object.keys(losses))("%s is a distance of the margin from what is known", (name) => {
    onBatches((batch) => {
      const [chosen, rejected] = [spread(batch, 3, 0.5), spread(batch, 2, -0.25)];
      const given = withNumbers(batch, { chosen_reward: chosen, rejected_reward: rejected });
      const made = nemo({ preference_loss: name as NonNullable<NemoOptions["preference_loss"]> });
      const scale = name.startsWith("rpo") ? 1.5 : 1;
      expectLosses(
        made,
        given,
        margins(batch).map((Δ, b) => losses[name]!(Δ, scale * (chosen[b]! - rejected[b]!))),
        name.startsWith("rpo") ? { gt_reward_scale: 1.5 } : {},
      );
    });
  });

  it("adds the likelihood of the chosen response, and averages over tokens where asked to", () => {
    onBatches((batch) => {
      const average = ({ policy, ref, labels }: plain.Sequence): number =>
        (plain.total(policy) - plain.total(ref)) / labels.length;
      const pairs = plain.examples(batch);
      expectLosses(
        nemo({ sft_loss_weight: 0.3, preference_loss_weight: 0.5 }),
        batch,
        margins(batch).map(
          (Δ, b) => 0.5 * softplus(-0.2 * Δ) - 0.3 * plain.total(pairs[b]!.w.policy),
        ),
      );
      expectLosses(
        nemo({ preference_average_log_probs: true, sft_loss_weight: 1 }),
        batch,
        pairs.map(({ w, l }) => softplus(-0.2 * (average(w) - average(l))) - plain.mean(w.policy)),
      );
    });
  });
});

describe("the losses found with DiscoPOP", () => {
  const blend = (share: number, a: number, b: number): number => share * a + (1 - share) * b;
  const hinge = (x: number): number => Math.max(0, 1 - x);
  const variance = (all: readonly number[]): number =>
    plain.total(all.map((x) => (x - plain.mean(all)) ** 2)) / (all.length - 1);
  const scaled = (xs: readonly number[]): readonly number[] => xs.map((x) => x / 0.05);
  const formulas = {
    dbaql: (xs: readonly number[]) => {
      const share = sigmoid(variance(scaled(xs)));
      return xs.map((x) => blend(share, softplus(-x / 0.9), Math.exp(-0.9 * x)));
    },
    aql: (xs: readonly number[]) => {
      const q = 0.5 + 0.01 * (sigmoid(plain.mean(scaled(xs))) - 0.5);
      return xs.map((x) => blend(sigmoid(q - x / 0.05), softplus(-x), hinge(x)));
    },
    aqfl: (xs: readonly number[]) => {
      const s = scaled(xs);
      const p = Math.sqrt(variance(s)) * plain.mean(s.map((x) => sigmoid(-x)));
      const q = p + 0.05 * (sigmoid(plain.mean(s)) - p);
      return xs.map((x) => blend(sigmoid(0.1 * Math.abs(x / 0.05 - q)), softplus(-x), hinge(x)));
    },
    padll: (xs: readonly number[]) => xs.map((x) => (x < 0 ? 0.45 : 0.9) * softplus(-x)),
    cell: (xs: readonly number[]) => xs.map((x) => (Math.exp(-x) + softplus(-x)) / 2),
    lrml: (xs: readonly number[]) =>
      xs.map((x) => sigmoid(-x / 0.05) * softplus(-x) + Math.exp(-x + plain.logSigmoid(x / 0.05))),
  };
  const made = { dbaql, aql, aqfl, padll, cell, lrml };

  it.each(Object.keys(formulas) as (keyof typeof formulas)[])("%s", (name) => {
    onPairs((batch) => {
      const xs = (beta: number): readonly number[] => margins(batch).map((Δ) => beta * Δ);
      expectLosses(made[name](), batch, formulas[name](xs(0.05)));
      expectLosses(made[name]({ beta: 0.1 }), batch, formulas[name](xs(0.02)), { beta: 0.02 });
    });
  });

  it("pfl tells the pairs that the policy itself orders rightly from the others", () => {
    onBatches((batch) => {
      const pairs = plain.examples(batch);
      const prefers = ({ w, l }: (typeof pairs)[number]): boolean =>
        plain.total(w.policy) > plain.total(l.policy);
      expectLosses(
        pfl({ beta: 0.1 }),
        batch,
        margins(batch).map((Δ, b) =>
          prefers(pairs[b]!) ? softplus(-0.1 * Δ) / 2 : 2 * hinge(0.1 * Δ),
        ),
      );
    });
  });

  it("kto-pair estimates each divergence on the other half of the batch", () => {
    onBatches((batch) => {
      const h = ratios(batch);
      const [chosen, rejected] = [0, 1].map((side) =>
        Math.max(0, plain.mean(h.map((pair) => pair[side]!))),
      );
      expectLosses(
        ktoPair({ beta: 0.1 }),
        batch,
        h.map(([w, l]) => (sigmoid(-0.1 * (w - rejected!)) + sigmoid(-0.1 * (chosen! - l))) / 2),
      );
    });
  });

  it("are refused a batch of one pair if they need the variance", () => {
    const [batch] = fc.sample(ragged({ maxExamples: 1 }), { numRuns: 1, seed: 1 });
    for (const { loss } of [dbaql(), aqfl()])
      expect(() => checkDivisors(knownDivisors([loss]), batch!, {})).toThrow(
        /divides by count\[batch\] - 1, which is 0; the batch has 1 example, so give more\.$/,
      );
  });

  it("have no slope where all margins are equal, though the root of the variance has none there", () => {
    onPairs((batch) => {
      const inputs = Object.fromEntries(
        Object.keys(batch.inputs).map((name) => [
          name,
          batch.inputs[name.replace("policy.", "ref.")]!,
        ]),
      );
      const { loss } = aqfl();
      const logits = topological([loss]).filter(
        ({ tag, ...node }) => tag === "input" && "name" in node && node.name === "policy.logits.w",
      );
      const [slope] = gradient(reduce("sum", "batch", loss), logits);
      expect(values(slope!, { ...batch, inputs }).every(Number.isFinite)).toBe(true);
    });
  });
});

describe("bco_pair_shifted", () => {
  const wanted = (batch: Batch, beta: number, before: number, seen: number) => {
    const r = ratios(batch).map(([w, l]) => [beta * w, beta * l] as const);
    const average = plain.mean(r.map(([w, l]) => (w + l) / 2));
    const δ = (before * seen + average) / (seen + 1);
    return { δ, losses: r.map(([w, l]) => softplus(δ - w) + softplus(l - δ)) };
  };

  it("subtracts the average of the rewards of all batches, this one included", () => {
    onBatches((batch) => {
      const first = wanted(batch, 0.1, 0, 0);
      expectLosses(shiftedBcoPair(), batch, first.losses);
      const later = wanted(batch, 0.1, 0.7, 3);
      expectLosses(shiftedBcoPair(), batch, later.losses, { running_mean: 0.7, running_count: 3 });
      const { next } = shiftedBcoPair();
      const params = { running_mean: 0.7, running_count: 3 };
      const [mean, count] = evaluate(
        [next["running_mean"]!, next["running_count"]!],
        batch,
        params,
      );
      close(mean!.data[0]!, later.δ);
      expect(count!.data[0]).toBe(4);
    });
  });

  it("is mixed with other losses by LLaMA-Factory, which desensitises the policy alone to length", () => {
    onBatches((batch) => {
      const { losses } = wanted(batch, 0.1, 0, 0);
      const other = margins(batch).map((Δ) => softplus(-0.1 * Δ));
      const pairs = plain.examples(batch);
      expectLosses(
        llamaFactory({ pref_bco_weight: 0.5, pref_ftx: 0.2 }),
        batch,
        other.map(
          (loss, b) => (loss + 0.5 * losses[b]!) / 1.5 - 0.2 * plain.mean(pairs[b]!.w.policy),
        ),
      );
      expectLosses(
        llamaFactory({ ld_alpha: 0.4, pref_loss: "hinge" }),
        batch,
        pairs.map(({ w, l }) => {
          const shorter = Math.min(w.labels.length, l.labels.length);
          const h = ({ policy, ref }: plain.Sequence): number =>
            plain.total(policy.map((logp, t) => (t < shorter ? 1 : 0.4) * logp)) - plain.total(ref);
          return Math.max(0, 1 - 0.1 * (h(w) - h(l)));
        }),
      );
      expect(llamaFactory().loss).toBe(dpo().loss);
    });
  });
});

describe("derivatives", () => {
  it.each(Object.keys(authorEntries))("of %s are those of differences", async (name) => {
    const checks = checkObjective(authorEntries[name]!.make(), {
      batches: 3,
      seed: 11,
      device: null,
    });
    const failures: (readonly string[])[] = [];
    for await (const report of checks) failures.push(report.failures);
    // the batches that were asked for, and the first step of training where there is one
    expect(failures.length).toBeGreaterThanOrEqual(3);
    expect(failures.flat()).toEqual([]);
  });
});

describeMisuses("an option of the authors' losses", [
  [
    "a scale of rewards that are not read",
    "option-does-not-apply",
    /^nemo: gt_reward_scale does not apply to preference_loss "ipo"; it is read with "rpo_bwd_kl", "rpo_fwd_kl" and "rpo_sq" only\.$/,
    () => nemo({ preference_loss: "ipo", gt_reward_scale: 2 }),
  ],
  [
    "a loss that NeMo has not",
    "option-value",
    /^nemo: the option preference_loss is the string "rpo"; give one of/,
    () => nemo({ preference_loss: any("rpo") }),
  ],
  [
    "wrong labels of a loss that ignores them",
    "option-does-not-apply",
    /^llama_factory: label_smoothing does not apply to pref_loss "hinge"/,
    () => llamaFactory({ pref_loss: "hinge", label_smoothing: 0.1 }),
  ],
  [
    "half of the labels wrong",
    "option-value",
    /^llama_factory: the option label_smoothing is the number 0\.5; give a number from 0 to below 0\.5\.$/,
    () => llamaFactory({ label_smoothing: 0.5 }),
  ],
  [
    "a second parameter",
    "unknown-option",
    /^aql: there is no option "tau"/,
    () => aql(any({ tau: 1 })),
  ],
]);
