// Intermediate results that sources record beside the loss, as expressions: log-probabilities, rewards, weights. The
// interpreter is compared with them example by example, so that a wrong term is found where it arises and not only in
// the loss. On the GPU the metrics that an objective reports are compared, which are averages of some of these.

import { objective, type Expr, type Given, type PerExample } from "../dsl/index.ts";
import type { Node } from "../core/node.ts";
import { dpo, logRatio, margin, type Pair } from "../objectives/index.ts";

/**
 * Expressions over the batch, by the name under which their values are recorded; null for a recorded name whose
 * meaning differs between versions of a source, which is not compared.
 */
export type Quantities = Readonly<Record<string, Node | null>>;

type Formulas = (g: Given<Pair>) => Readonly<Record<string, Expr<PerExample>>>;

/** The core nodes of quantities of a pair of responses. */
export function quantitiesOf(formulas: Formulas): Quantities {
  const carrier = objective(
    "quantities",
    ["w", "l"],
    (g) => ({ loss: g.policy.logps(g.y.w), metrics: formulas(g) }),
    {
      source: "carries expressions, and is not optimised",
    },
  );
  return carrier.metrics;
}

/** What every source means by these names. The log-probabilities are sums over the completion. */
export const pairQuantities: Quantities = quantitiesOf((g) => ({
  chosen_logps: g.policy.logps(g.y.w),
  rejected_logps: g.policy.logps(g.y.l),
  ref_chosen_logps: g.ref.logps(g.y.w),
  ref_rejected_logps: g.ref.logps(g.y.l),
}));

/** The scores of a pair without a divergence: log-ratios and their difference. */
export const scores: Quantities = quantitiesOf((g) => ({
  chosen_scores: logRatio(g, g.y.w),
  rejected_scores: logRatio(g, g.y.l),
  delta_score: margin(g),
}));

/** Rewards of sources that subtract the reference from them also where the loss is reference-free. */
export const rewardsWithReference: Quantities = (({ metrics }) => ({
  chosen_rewards: metrics["rewards/chosen"]!,
  rejected_rewards: metrics["rewards/rejected"]!,
}))(dpo());

/**
 * The metric of an objective that reports the average of a recorded quantity. Some sources record the list
 * ("chosen_rewards"), some the average under `metrics`, where the names are those of the metrics.
 */
export const metricOf: Readonly<Record<string, string>> = {
  chosen_rewards: "rewards/chosen",
  rejected_rewards: "rewards/rejected",
  chosen_logps: "logps/chosen",
  rejected_logps: "logps/rejected",
};
