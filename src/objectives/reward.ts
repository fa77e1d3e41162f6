// Training a reward model on preferences: the Bradley-Terry likelihood of its scores. What is differentiated are the
// scores themselves; no logits are read.

import { logSigmoid, neg, objective, param, real, square } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";

/** Whether examples come with margins, and defaults of the run-time parameters of the same names. */
export interface RewardOptions {
  /** Whether example("margin") is subtracted from the difference of the rewards; false. */
  readonly margin?: boolean;
  /** c, how strongly rewards are drawn to a mean of zero; 0. */
  readonly center_rewards_coefficient?: number;
}

export const rewardOptions: OptionKinds = {
  margin: "boolean",
  center_rewards_coefficient: "number",
};

/**
 * −log σ(r(y_w) − r(y_l) − m) + c (r(y_w) + r(y_l))²
 *
 * Ouyang et al. 2022 (arXiv 2203.02155), equation 1; margin: Touvron et al. 2023 (arXiv 2307.09288), equation 2; centering:
 * Eisenstein et al. 2023 (arXiv 2312.09244). TRL, trl/trainer/reward_trainer.py, `compute_loss`.
 */
export function reward(options: RewardOptions = {}): PairwiseObjective {
  const { margin = false, center_rewards_coefficient = 0 } = checkOptions(
    "reward",
    rewardOptions,
    options,
  );
  const c = param("center_rewards_coefficient", center_rewards_coefficient);
  return objective(
    "reward",
    ["w", "l"],
    ({ reward, example, y }) => {
      const [chosen, rejected] = [reward(y.w), reward(y.l)];
      const difference = chosen.minus(rejected);
      const preference = neg(logSigmoid(margin ? difference.minus(example("margin")) : difference));
      const loss = preference.plus(c.times(square(chosen.plus(rejected))));
      const metrics = {
        mean_reward: chosen.plus(rejected).over(2),
        accuracy: real(chosen.gt(rejected)),
        margin: difference,
      };
      return { loss, metrics };
    },
    {
      source:
        "Ouyang et al. 2022, arXiv 2203.02155, equation 1; margin: Touvron et al. 2023, arXiv 2307.09288, equation 2; centering: Eisenstein et al. 2023, arXiv 2312.09244; TRL, trl/trainer/reward_trainer.py, compute_loss",
    },
  );
}
