// Calibrated DPO: beside their difference, the log-ratios themselves are drawn to a value each, so that the likelihood of
// the chosen response does not fall together with that of the rejected one.

import { constant, logSigmoid, mean, neg, objective, param, square } from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logRatio, margin, rewardMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names. */
export interface CalDpoOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
}

export const calDpoOptions: OptionKinds = { beta: "number" };

/** ½ (E[(h_w − 1/2β)²] + E[(h_l + 1/2β)²]), the expectations over the batch. */
function calibration(g: Given<Pair>, β: Expr): Expr {
  const target: Expr<PerExample> = constant(0.5).over(β);
  const chosen = mean("batch", square(logRatio(g, g.y.w).minus(target)));
  const rejected = mean("batch", square(logRatio(g, g.y.l).plus(target)));
  return chosen.plus(rejected).times(0.5);
}

/**
 * −log σ(Δ) + ½ (E[(h_w − 1/2β)²] + E[(h_l + 1/2β)²])
 *
 * Xiao et al. 2024 (arXiv 2412.14516); the authors' scripts/dpo_trainer.py, `dpo_loss` with loss_type "Cal-DPO": there is
 * no β in the logistic term, every pair carries the average over the batch, and rewards are log-probabilities.
 */
export function calDpo(options: CalDpoOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("cal-dpo", calDpoOptions, options);
  const β = param("beta", beta);
  return objective(
    "cal-dpo",
    ["w", "l"],
    (g) => neg(logSigmoid(margin(g))).plus(calibration(g, β)),
    {
      source: "Xiao et al. 2024, arXiv 2412.14516; the authors' scripts/dpo_trainer.py, dpo_loss",
      metrics: (g) => rewardMetrics(g, g.policy.logps(g.y.w), g.policy.logps(g.y.l)),
    },
  );
}
