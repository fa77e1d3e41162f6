// Functions from objectives to objectives: what trainers offer as modifiers of a loss. Each is one line of algebra on
// the scores, the models or the loss of the objective it is given, and works on any objective for which that line
// means something.

import { cite } from "../dsl/check.ts";
import {
  changedGiven,
  constant,
  iota,
  neg,
  objective,
  param,
  PrefcError,
  real,
  reads,
  sum,
  where,
} from "../dsl/index.ts";
import { requireObjective } from "../dsl/objective.ts";
import type { Expr, Given, Model, PerExample, Real, Response } from "../dsl/index.ts";
import { checkOptions, smoothing } from "./options.ts";
import type { Pair, PairwiseObjective } from "./pairwise.ts";
import { changed, rescored, scoresOf, type Scores } from "./scores.ts";

/** A number, a scalar such as a param, or one number per example such as `(g) => g.example("weight")`. */
export type Weight = Real<PerExample> | ((g: Given<Pair>) => Real<PerExample>);

/** loss × weight; by the number 1 it is the objective itself. Metrics are not weighted. */
export function weighted(inner: PairwiseObjective, weight: Weight): PairwiseObjective {
  requireObjective("weighted", inner);
  if (weight === 1) return inner;
  return objective(
    `${inner.name} weighted`,
    inner.responses,
    (g) => {
      const { loss, ...rest } = inner.define(g);
      return { loss: loss.times(typeof weight === "function" ? weight(g) : weight), ...rest };
    },
    { source: inner.source, models: inner.models },
  );
}

const exchanged = ({ w, l, difference }: Scores): Scores => ({
  w: l,
  l: w,
  difference: neg(difference),
});

/**
 * (1 − ε) L(w, l) + ε L(l, w): the loss expected when a share ε of the preference labels is wrong. Of −log σ(βΔ) it is
 * conservative DPO (Mitchell 2023, "A note on DPO with noisy preferences").
 * @throws PrefcError already-smoothed, combination-without-effect, option-value
 */
export function withLabelSmoothing(
  label_smoothing = 0,
): (inner: PairwiseObjective) => PairwiseObjective {
  checkOptions("withLabelSmoothing", { label_smoothing: smoothing }, { label_smoothing });
  const ε = param("label_smoothing", label_smoothing, smoothing);
  return (inner) => {
    requireObjective("withLabelSmoothing", inner);
    if (reads.param(inner, "label_smoothing")) {
      throw new PrefcError(
        "already-smoothed",
        `withLabelSmoothing: ${cite(inner.name)} has a label_smoothing of its own; give it that option instead of smoothing it twice.`,
      );
    }
    return changed(
      inner,
      {
        combinator: "withLabelSmoothing",
        what: "exchanging the two scores",
        name: `${inner.name} smoothed`,
        source: "label smoothing: Mitchell 2023, a note on DPO with noisy preferences",
      },
      (g) => {
        const { loss, ...rest } = inner.define(g);
        const wrong = inner.define(rescored(g, exchanged)).loss;
        if (wrong.node === loss.node) return { loss, ...rest };
        return { loss: constant(1).minus(ε).times(loss).plus(ε.times(wrong)), ...rest };
      },
    );
  };
}

/**
 * The loss of scores per token, s(y)/|y|: of −log σ(βΔ) it is TRL's "sigmoid_norm", of IPO the form that TRL computes.
 * @throws PrefcError combination-without-effect
 */
export const lengthNormalised = (inner: PairwiseObjective): PairwiseObjective =>
  changed(
    inner,
    {
      combinator: "lengthNormalised",
      what: "dividing scores by lengths",
      name: `${requireObjective("lengthNormalised", inner).name} length-normalised`,
      source: "scores averaged over tokens",
    },
    (g) =>
      inner.define(rescored(g, ({ w, l }) => scoresOf(w.over(g.y.w.count), l.over(g.y.l.count)))),
  );

/** What LD-DPO changes. */
export interface DesensitisedOptions {
  /** α, how much the tokens beyond the length of the shorter response count; 0.5. */
  readonly ld_alpha?: number;
  /** Whether the reference is changed as well, as TRL does since its rewrite, or the policy alone, as before; true. */
  readonly reference?: boolean;
}

/** Σ_{t ≤ p} log π(y_t) + α Σ_{t > p} log π(y_t), p the length of the shorter response of the pair. */
const desensitised = (m: Model, { y }: Given<Pair>, α: Expr): Model => ({
  ...m,
  logps: (<R extends string>(of: Response<R>) => {
    const shorter = where(y.w.count.lt(y.l.count), y.w.count, y.l.count);
    const weight = where(real(iota("token", of)).lt(shorter), 1, α);
    return sum("token", m.logp(of).times(weight));
  }) as Model["logps"],
});

/**
 * LD-DPO: tokens beyond the length of the shorter response count α times; at 1 nothing changes.
 *
 * Liu et al. 2024 (arXiv 2409.06411); TRL's `ld_alpha`, trl/trainer/dpo_trainer.py.
 * @throws PrefcError combination-without-effect, option-value
 */
export function lengthDesensitised(
  options: DesensitisedOptions = {},
): (inner: PairwiseObjective) => PairwiseObjective {
  const kinds = { ld_alpha: { from: 0, to: 1 }, reference: "boolean" } as const;
  const { ld_alpha = 0.5, reference = true } = checkOptions("lengthDesensitised", kinds, options);
  const α = param("ld_alpha", ld_alpha, kinds.ld_alpha);
  return (inner) =>
    changed(
      { ...requireObjective("lengthDesensitised", inner), responses: ["w", "l"] },
      {
        combinator: "lengthDesensitised",
        what: "the log-probability of tokens beyond the shorter response",
        name: `${inner.name} length-desensitised`,
        source: "LD-DPO: Liu et al. 2024, arXiv 2409.06411",
      },
      (g) =>
        inner.define(
          changedGiven<Given<Pair>>(g, {
            policy: desensitised(g.policy, g, α),
            ref: reference ? desensitised(g.ref, g, α) : g.ref,
          }),
        ),
    );
}
