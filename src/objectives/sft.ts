// Supervised fine-tuning on the chosen responses: the negative log-likelihood that preference objectives are
// mixed with.

import { maximum, neg, objective, real } from "../dsl/index.ts";
import type { Expr, Given, ObjectiveOf } from "../dsl/index.ts";
import { checkOptions, release, type OptionKinds } from "./options.ts";
import { meaningIn, newestRelease } from "./trl-releases.ts";
import { entropy, isMostLikely, tokens, total } from "./pairwise.ts";

/** What counts. */
export interface SftOptions {
  /** The id of tokens that do not count, as PyTorch's cross_entropy has it; none. */
  readonly ignore_index?: number;
  /** The release of TRL whose loss it is: from 0.12 to 0.28 tokens with the id 0 did not count; "1.16.0". */
  readonly as_of?: string;
}
export const sftOptions: OptionKinds = { ignore_index: { from: 0 }, as_of: release };

/** −Σ log π(y_t) / n over the tokens whose id is another one, n their number; 0 where there are none. */
function likelihoodWithout(id: number, { policy, y }: Given<"w">): Expr {
  const counts = real(y.w.ids.ne(id));
  return neg(total(policy.logp(y.w).times(counts))).over(maximum(total(counts), 1));
}

/**
 * −Σ log π(y_t) / Σ |y| over every completion token of the batch: the average over tokens, not over
 * sequences. TRL 1.16.0, trl/trainer/dpo_trainer.py, loss_type "sft".
 */
export function sft(options: SftOptions = {}): ObjectiveOf<"w"> {
  const { as_of = newestRelease, ...given } = checkOptions("sft", sftOptions, options);
  const { ignore_index = meaningIn(as_of).withoutIdZero ? 0 : undefined } = given;
  return objective(
    "sft",
    ["w"],
    (g) =>
      ignore_index === undefined
        ? neg(total(g.policy.logp(g.y.w))).over(tokens(g.y.w))
        : likelihoodWithout(ignore_index, g),
    {
      source:
        'TRL 1.16.0, trl/trainer/dpo_trainer.py, loss_type "sft": cross-entropy of the chosen completions, averaged over tokens',
      metrics: ({ policy, y }) => ({
        "logps/chosen": policy.logps(y.w),
        entropy: total(entropy(policy, y.w)).over(tokens(y.w)),
        mean_token_accuracy: total(isMostLikely(policy, y.w)).over(tokens(y.w)),
      }),
    },
  );
}
