// Odds ratio preference optimisation: supervised fine-tuning with a bonus where the odds of the chosen response exceed those
// of the rejected one. There is no reference model.

import { log1mExp, logSigmoid, minimum, neg, objective, param, prompt } from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { averageLogps, contrastMetrics, likelihood, scores } from "./contrast.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { tokens, total, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Which tokens the likelihood is of, and the default of the run-time parameter of the same name. */
export interface OrpoOptions {
  /** β, the weight of the odds ratio (λ in the paper); 0.1. */
  readonly beta?: number;
  /**
   * What the negative log-likelihood averages over: "prompt" the tokens of prompt and completion of the chosen sequences, as
   * TRL does, "completion" their completion tokens (Liger), or "sequence" the sequences, by their average per completion
   * token (LLaMA-Factory and the paper); "prompt".
   */
  readonly likelihood?: "prompt" | "completion" | "sequence";
}

export const orpoOptions: OptionKinds = {
  beta: "number",
  likelihood: ["prompt", "completion", "sequence"],
};

/** The probability 1 is one whose complement is this: float32 has no smaller normal number to take the logarithm of. */
const leastComplement = 1e-37;

/** log(p / (1 − p)) of log p. log(1 − p) is taken of log p, by the branch that does not cancel, since 1 − p rounds to 0. */
const logOdds = (logp: Expr<PerExample>): Expr<PerExample> => {
  const below = minimum(logp, -leastComplement);
  return below.minus(log1mExp(below));
};

const likelihoods = {
  prompt: ({ policy, y }: Given<Pair>) => {
    const before = prompt(y.w);
    const all = total(policy.logp(y.w)).plus(total(policy.logp(before)));
    return neg(all).over(tokens(y.w).plus(tokens(before)));
  },
  completion: ({ policy, y }: Given<Pair>) => likelihood(policy, y.w),
  sequence: ({ policy, y }: Given<Pair>): Expr<PerExample> => neg(averageLogps(policy, y.w)),
};

/**
 * NLL(y_w) − β log σ(log odds(y_w) − log odds(y_l)), odds(y) = p/(1 − p), p = π(y | x)^(1/|y|)
 *
 * Hong et al. 2024 (arXiv 2403.07691), equations 6 and 7. TRL, trl/experimental/orpo/orpo_trainer.py, `odds_ratio_loss`,
 * `log1mexp` and `concatenated_forward`. Where p rounds to 1, TRL's loss is infinite or not a number; here the odds end at
 * 1e37.
 */
export function orpo(options: OrpoOptions = {}): PairwiseObjective {
  const { beta = 0.1, likelihood = "prompt" } = checkOptions("orpo", orpoOptions, options);
  const β = param("beta", beta);
  return objective(
    "orpo",
    ["w", "l"],
    (g) => {
      const p = scores(g.policy, g.y, true);
      const ratio = logOdds(p.chosen).minus(logOdds(p.rejected));
      const bonus = logSigmoid(ratio);
      const nll = likelihoods[likelihood](g);
      const metrics = {
        ...contrastMetrics(p, β, p),
        nll_loss: nll,
        log_odds_ratio: bonus,
        log_odds_chosen: ratio,
      };
      return { loss: nll.minus(β.times(bonus)), metrics };
    },
    {
      source:
        "Hong et al. 2024, arXiv 2403.07691, equations 6 and 7; TRL, trl/experimental/orpo/orpo_trainer.py, odds_ratio_loss and concatenated_forward",
    },
  );
}
