// Losses of the average log-probability per token without a reference model, beside SimPO.

import { constant, exp, objective, param, relu } from "../dsl/index.ts";
import { averageLogps, contrastMetrics } from "./contrast.ts";
import { checkOptions, type NumberRange, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";

export const simperOptions: OptionKinds = {};

/** −e^{log π(y_w)/|y_w|} + e^{log π(y_l)/|y_l|}: inverse perplexities. Xiao et al. 2025 (arXiv 2502.00883), equation 4. */
export function simper(options: object = {}): PairwiseObjective {
  checkOptions("simper", simperOptions, options);
  return objective(
    "simper",
    ["w", "l"],
    ({ policy, y }) => {
      const logps = { chosen: averageLogps(policy, y.w), rejected: averageLogps(policy, y.l) };
      const rewards = { chosen: exp(logps.chosen), rejected: exp(logps.rejected) };
      return {
        loss: rewards.rejected.minus(rewards.chosen),
        metrics: contrastMetrics(rewards, constant(1), logps),
      };
    },
    { source: "Xiao et al. 2025, arXiv 2502.00883, equation 4" },
  );
}

/** Options of RePO. */
export interface RepoOptions {
  /** γ, the margin beyond which a pair counts no more; 0.5. */
  readonly gamma?: number;
}
const gammas: NumberRange = { from: 0 };
export const repoOptions: OptionKinds = { gamma: gammas };

/** max(0, γ − (log π(y_w)/|y_w| − log π(y_l)/|y_l|)). Wu et al. 2025 (arXiv 2503.07426), RePO; at the kink the slope is 0. */
export function repo(options: RepoOptions = {}): PairwiseObjective {
  const { gamma = 0.5 } = checkOptions("repo", repoOptions, options);
  const γ = param("gamma", gamma, gammas);
  return objective(
    "repo",
    ["w", "l"],
    ({ policy, y }) => {
      const logps = { chosen: averageLogps(policy, y.w), rejected: averageLogps(policy, y.l) };
      return {
        loss: relu(γ.minus(logps.chosen.minus(logps.rejected))),
        metrics: contrastMetrics(logps, constant(1), logps),
      };
    },
    { source: "Wu et al. 2025, arXiv 2503.07426" },
  );
}
