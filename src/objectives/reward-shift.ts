// Binary classifier optimisation of pairs with the average of the rewards so far as the threshold. The average is state:
// each step leaves it for the next.

import { logSigmoid, mean, neg, objective, param, state, stopGrad } from "../dsl/index.ts";
import { betaOptions, type BetaOptions } from "./margins.ts";
import { checkOptions, positive } from "./options.ts";
import { pairMetrics, type PairwiseObjective } from "./pairwise.ts";
import { pairScores } from "./scores.ts";

/**
 * −log σ(βs_w − δ) − log σ(−(βs_l − δ)), δ the average over all batches so far of the average reward β(s_w + s_l)/2
 *
 * This batch counts already; a batch counts as one whatever its size; δ is data to the gradient. The state is
 * running_mean = δ and running_count, the number of batches. Jung et al. 2024 (arXiv 2404.04656), equation 10, for pairs:
 * TRL up to 0.28, loss_type "bco_pair"; LLaMA-Factory, train/dpo/trainer.py, `bco_loss`; DiscoPOP, gpo.py, `bco_pair_loss`.
 */
export function shiftedBcoPair(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("shiftedBcoPair", betaOptions, options);
  const β = param("beta", beta, positive);
  const [before, seen] = [state("running_mean", 0), state("running_count", 0)];
  return objective(
    "bco_pair_shifted",
    ["w", "l"],
    (g) => {
      const { w, l } = pairScores(g);
      const [chosen, rejected] = [β.times(w), β.times(l)];
      const average = stopGrad(mean("batch", chosen.plus(rejected).times(0.5)));
      const δ = before.plus(average.minus(before).over(seen.plus(1)));
      const loss = neg(logSigmoid(chosen.minus(δ))).minus(logSigmoid(δ.minus(rejected)));
      return {
        loss,
        metrics: { ...pairMetrics(g, β), delta: δ },
        next: { running_mean: δ, running_count: seen.plus(1) },
      };
    },
    {
      source:
        "Jung et al. 2024, arXiv 2404.04656, equation 10; TRL 0.28, trl/trainer/dpo_trainer.py, loss_type bco_pair",
    },
  );
}
