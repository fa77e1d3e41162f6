// SimPO as its authors train it: the average log-probability per token is the reward, and there is no reference model.

import { objective, param } from "../dsl/index.ts";
import { contrastMetrics, hinge, likelihood, logistic, scores } from "./contrast.ts";
import { checkApplies, checkOptions, smoothing, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names, and the form of the loss. */
export interface SimpoOptions {
  /** "sigmoid" or "hinge"; "sigmoid". */
  readonly loss_type?: "sigmoid" | "hinge";
  /** β, the scale of the average log-probability; 2. */
  readonly beta?: number;
  /** γ/β, by how much the average log-probabilities should differ; 0.25. */
  readonly gamma_beta_ratio?: number;
  /** ε, the probability that a preference label is wrong; 0. Read with "sigmoid". */
  readonly label_smoothing?: number;
  /** Weight of the negative log-likelihood of the chosen responses; 0. */
  readonly sft_weight?: number;
}

export const simpoOptions: OptionKinds = {
  loss_type: ["sigmoid", "hinge"],
  beta: "number",
  gamma_beta_ratio: "number",
  label_smoothing: smoothing,
  sft_weight: "number",
};

/**
 * −(1 − ε) log σ(x) − ε log σ(−x), or max(0, 1 − x), plus sft_weight · NLL(y_w), where
 * x = β (log π(y_w)/|y_w| − log π(y_l)/|y_l| − γ/β)
 *
 * Meng et al. 2024 (arXiv 2405.14734), equation 6, with the options of the authors' scripts/simpo_trainer.py.
 */
export function simpo(options: SimpoOptions = {}): PairwiseObjective {
  const given = checkOptions("simpo", simpoOptions, options);
  const {
    loss_type = "sigmoid",
    beta = 2,
    gamma_beta_ratio = 0.25,
    label_smoothing = 0,
    sft_weight = 0,
  } = given;
  checkApplies("simpo", "loss_type", loss_type, given, { label_smoothing: ["sigmoid"] });
  const [β, ratio] = [param("beta", beta), param("gamma_beta_ratio", gamma_beta_ratio)];
  const [ε, λ] = [
    param("label_smoothing", label_smoothing, smoothing),
    param("sft_weight", sft_weight),
  ];
  return objective(
    "simpo",
    ["w", "l"],
    ({ policy, y }) => {
      const logps = scores(policy, y, true);
      const x = β.times(logps.chosen.minus(logps.rejected).minus(ratio));
      const preference = loss_type === "hinge" ? hinge(x) : logistic(x, ε);
      const nll = likelihood(policy, y.w);
      const metrics = { ...contrastMetrics(logps, β, logps), sft_loss: nll };
      return { loss: preference.plus(λ.times(nll)), metrics };
    },
    {
      source:
        "Meng et al. 2024, arXiv 2405.14734, equation 6; the authors' scripts/simpo_trainer.py",
    },
  );
}
