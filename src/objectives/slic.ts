// Sequence likelihood calibration: a hinge on log-probabilities, and the likelihood of a target so that the policy does
// not unlearn how to speak.

import { constant, objective, param, relu, type ObjectiveOf } from "../dsl/index.ts";
import { contrastMetrics, scores } from "./contrast.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import type { Pair } from "./pairwise.ts";

/** Whose likelihood is raised, and defaults of the run-time parameters of the same names. */
export interface SlicOptions {
  /** The chosen response, or a third one called "gold", such as that of a supervised data set; "chosen". */
  readonly target?: "chosen" | "gold";
  /** δ, by how much the log-probabilities should differ; 1, as in HALOs. */
  readonly beta?: number;
  /** λ, the weight of the target's log-likelihood; 0.1, as in HALOs. */
  readonly lambda_coef?: number;
}

export const slicOptions: OptionKinds = {
  target: ["chosen", "gold"],
  beta: "number",
  lambda_coef: "number",
};

/**
 * max(0, δ − log π(y_w | x) + log π(y_l | x)) − λ log π(y_target | x)
 *
 * Zhao et al. 2023 (arXiv 2305.10425), equation 1, under the names of HALOs, config/loss/slic.yaml. (HALOs itself adds one
 * number per example to one per token, which cannot run.)
 */
export function slic(options: SlicOptions = {}): ObjectiveOf<Pair | "gold"> {
  const {
    target = "chosen",
    beta = 1,
    lambda_coef = 0.1,
  } = checkOptions("slic", slicOptions, options);
  const [δ, λ] = [param("beta", beta), param("lambda_coef", lambda_coef)];
  return objective<Pair | "gold">(
    "slic",
    target === "gold" ? ["w", "l", "gold"] : ["w", "l"],
    ({ policy, y }) => {
      const logps = scores(policy, y, false);
      const calibration = relu(δ.minus(logps.chosen).plus(logps.rejected));
      const likelihood = target === "gold" ? policy.logps(y.gold) : logps.chosen;
      return {
        loss: calibration.minus(λ.times(likelihood)),
        metrics: contrastMetrics(logps, constant(1), logps),
      };
    },
    {
      source:
        "Zhao et al. 2023, arXiv 2305.10425, equation 1; parameters as in HALOs, config/loss/slic.yaml",
    },
  );
}
