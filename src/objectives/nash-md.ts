// Nash mirror descent: a policy gradient on the probability that a judge prefers the policy's completion, with a penalty on
// moving away from the reference model.

import { neg, objective, param, stopGrad, sum, type ObjectiveOf } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logRatio } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names. */
export interface NashMdOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
}

export const nashMdOptions: OptionKinds = { beta: "number" };

/**
 * β Σ_t [log π(y_t) − log π_ref(y_t)] log π(y_t) − (p − ½) log π(y | x), the bracket being data to the gradient
 *
 * "y" is a completion sampled from the policy; example("probability") is the probability p that it is preferred to one of
 * the mixture of policy and reference. Munos et al. 2023 (arXiv 2312.00886), section 7. TRL,
 * trl/experimental/nash_md/nash_md_trainer.py, `_compute_losses`.
 */
export function nashMd(options: NashMdOptions = {}): ObjectiveOf<"y"> {
  const { beta = 0.1 } = checkOptions("nash-md", nashMdOptions, options);
  const β = param("beta", beta);
  return objective(
    "nash-md",
    ["y"],
    (g) => {
      const logp = g.policy.logp(g.y.y);
      const score = g.example("probability").minus(0.5).times(g.policy.logps(g.y.y));
      const penalty = sum("token", stopGrad(logp.minus(g.ref.logp(g.y.y))).times(logp));
      const metrics = {
        "loss/score": score,
        "loss/kl": penalty,
        "objective/kl": logRatio(g, g.y.y),
      };
      return {
        loss: β.times(penalty).minus(score),
        metrics: { ...metrics, "objective/entropy": neg(g.policy.logps(g.y.y)) },
      };
    },
    {
      source:
        "Munos et al. 2023, arXiv 2312.00886, section 7; TRL, trl/experimental/nash_md/nash_md_trainer.py, _compute_losses",
    },
  );
}
