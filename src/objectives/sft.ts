// Supervised fine-tuning on the chosen responses: the negative log-likelihood that preference objectives are
// mixed with.

import { neg, objective, type ObjectiveOf } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { entropy, isMostLikely, tokens, total } from "./pairwise.ts";

/** None yet. */
export const sftOptions: OptionKinds = {};

/**
 * −Σ log π(y_t) / Σ |y| over every completion token of the batch: the average over tokens, not over
 * sequences. TRL, trl/trainer/dpo_trainer.py, loss_type "sft".
 */
export function sft(options: object = {}): ObjectiveOf<"w"> {
  checkOptions("sft", sftOptions, options);
  return objective(
    "sft",
    ["w"],
    ({ policy, y }) => neg(total(policy.logp(y.w))).over(tokens(y.w)),
    {
      source:
        'TRL, trl/trainer/dpo_trainer.py, loss_type "sft": cross-entropy of the chosen completions, averaged over tokens',
      metrics: ({ policy, y }) => ({
        "logps/chosen": policy.logps(y.w),
        entropy: total(entropy(policy, y.w)).over(tokens(y.w)),
        mean_token_accuracy: total(isMostLikely(policy, y.w)).over(tokens(y.w)),
      }),
    },
  );
}
