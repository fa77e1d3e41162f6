// Losses that judge each response by itself, by its score or its log-ratio, and not only the difference of the two.

import { constant, logSigmoid, neg, objective, param, sigmoid, square } from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { betaOptions, type BetaOptions } from "./margins.ts";
import { checkOptions, positive, release, type OptionKinds } from "./options.ts";
import { logRatio, margin, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";
import { shiftedBcoPair } from "./reward-shift.ts";
import { linked, pairScores } from "./scores.ts";
import { meaningIn, newestRelease } from "./trl-releases.ts";

/** −log σ(βs_w) − ½ log σ(−βs_w) − ½ log σ(−βs_l). Chen et al. 2024 (arXiv 2402.05369), NCA for a pair. */
export function ncaPair(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("ncaPair", betaOptions, options);
  const source = "Chen et al. 2024, arXiv 2402.05369, NCA for a pair";
  return linked("nca_pair", source, beta, ({ w, l }, β) => {
    const low = logSigmoid(neg(β.times(w))).plus(logSigmoid(neg(β.times(l))));
    return neg(logSigmoid(β.times(w))).minus(low.times(0.5));
  });
}

/** Options of TRL's bco_pair. */
export interface BcoPairOptions extends BetaOptions {
  /** The release of TRL whose loss it is: up to 0.28 rewards are shifted by their running average; "1.16.0". */
  readonly as_of?: string;
}
export const bcoPairOptions: OptionKinds = { ...betaOptions, as_of: release };

/**
 * −log σ(βs_w) − log σ(−βs_l). Jung et al. 2024 (arXiv 2404.04656) without the shift of rewards, as in TRL 1.16.0; with it,
 * as up to 0.28, it is `shiftedBcoPair`.
 */
export function bcoPair(options: BcoPairOptions = {}): PairwiseObjective {
  const { beta = 0.1, as_of = newestRelease } = checkOptions("bcoPair", bcoPairOptions, options);
  if (meaningIn(as_of).shifted) return shiftedBcoPair({ beta });
  const source = "Jung et al. 2024, arXiv 2404.04656, without the shift of rewards; TRL 1.16.0";
  return linked("bco_pair", source, beta, ({ w, l }, β) =>
    neg(logSigmoid(β.times(w))).minus(logSigmoid(neg(β.times(l)))),
  );
}

/** (s_w − 1/(2β))² + (s_l + 1/(2β))². Wu et al. 2024 (arXiv 2405.00675), with preferences that are certain. */
export function sppoHard(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("sppoHard", betaOptions, options);
  const source = "Wu et al. 2024, arXiv 2405.00675, with preferences that are certain";
  return linked("sppo_hard", source, beta, ({ w, l }, β) => {
    const half = constant(0.5).over(β);
    return square(w.minus(half)).plus(square(l.plus(half)));
  });
}

/**
 * Anchored losses are of log-ratios themselves: a divergence in one term and not in the other has no meaning
 * (huggingface/trl#6441), so combinators that change scores do not reach them.
 */
function anchored(
  name: string,
  options: BetaOptions,
  loss: (g: Given<Pair>, β: Expr) => Expr<PerExample>,
): PairwiseObjective {
  const { beta = 0.1 } = checkOptions(name, betaOptions, options);
  const β = param("beta", beta, positive);
  return objective(name, ["w", "l"], (g) => loss(g, β), {
    source: "D'Oosterlinck et al. 2024, arXiv 2408.06266",
    metrics: (g) => pairMetrics(g, β),
  });
}

/** 1 − σ(βh_w) + σ(βh_l). D'Oosterlinck et al. 2024 (arXiv 2408.06266), APO-zero. */
export const apoZero = (options: BetaOptions = {}): PairwiseObjective =>
  anchored("apo_zero", options, (g, β) =>
    constant(1)
      .minus(sigmoid(β.times(logRatio(g, g.y.w))))
      .plus(sigmoid(β.times(logRatio(g, g.y.l)))),
  );

/** σ(βh_w) + 1 − σ(βΔ). D'Oosterlinck et al. 2024 (arXiv 2408.06266), APO-down. */
export const apoDown = (options: BetaOptions = {}): PairwiseObjective =>
  anchored("apo_down", options, (g, β) =>
    sigmoid(β.times(logRatio(g, g.y.w))).plus(constant(1).minus(sigmoid(β.times(margin(g))))),
  );

/** The same with the difference of scores for Δ: half of it under another divergence, as TRL had it from 0.29 to 1.9. */
export const apoDownOfScores = (options: BetaOptions = {}): PairwiseObjective =>
  anchored("apo_down", options, (g, β) =>
    sigmoid(β.times(logRatio(g, g.y.w))).plus(
      constant(1).minus(sigmoid(β.times(pairScores(g).difference))),
    ),
  );
