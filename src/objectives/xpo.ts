// Exploratory preference optimisation: DPO on a sample of the policy against one of the reference model, with a bonus for
// moving away from what the reference would say.

import { constant, logSigmoid, neg, objective, param, real, square, where } from "../dsl/index.ts";
import type { ObjectiveOf } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logRatio } from "./pairwise.ts";

/** The form of the preference loss, and defaults of the run-time parameters of the same names. */
export interface XpoOptions {
  /** "sigmoid" or "ipo"; "sigmoid". */
  readonly loss_type?: "sigmoid" | "ipo";
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /** α, the weight of exploration; 1e-5. */
  readonly alpha?: number;
}

export const xpoOptions: OptionKinds = {
  loss_type: ["sigmoid", "ipo"],
  beta: "number",
  alpha: "number",
};

/**
 * −log σ(βΔ) + α log π(y_ref | x), or (Δ − 1/(2β))² + α log π(y_ref | x)
 *
 * "own" is a completion sampled from the policy and "ref" one from the reference model. Δ is the log-ratio of the preferred
 * one minus that of the other; example("chosen_mask") is 1 where the policy's own sample is preferred, else 0.
 * Xie et al. 2024 (arXiv 2405.21046), algorithm 1. TRL, trl/experimental/xpo/xpo_trainer.py, `_compute_losses`.
 */
export function xpo(options: XpoOptions = {}): ObjectiveOf<"own" | "ref"> {
  const {
    loss_type = "sigmoid",
    beta = 0.1,
    alpha = 1e-5,
  } = checkOptions("xpo", xpoOptions, options);
  const [β, α] = [param("beta", beta), param("alpha", alpha)];
  return objective(
    "xpo",
    ["own", "ref"],
    (g) => {
      const [own, ref] = [logRatio(g, g.y.own), logRatio(g, g.y.ref)];
      const preferred = where(g.flag("chosen_mask"), 1, -1);
      const Δ = preferred.times(own.minus(ref));
      const preference =
        loss_type === "ipo" ? square(Δ.minus(constant(0.5).over(β))) : neg(logSigmoid(β.times(Δ)));
      const exploration = α.times(g.policy.logps(g.y.ref));
      const metrics = {
        "loss/dpo": preference,
        "loss/xpo": exploration,
        "objective/kl": own.plus(ref).over(2),
        "rewards/margins": β.times(Δ),
        "rewards/accuracies": real(Δ.gt(0)),
      };
      return { loss: preference.plus(exploration), metrics };
    },
    {
      source:
        "Xie et al. 2024, arXiv 2405.21046, algorithm 1; TRL, trl/experimental/xpo/xpo_trainer.py, _compute_losses",
    },
  );
}
