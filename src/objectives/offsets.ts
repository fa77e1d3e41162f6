// DPO with something beside the margin: a penalty, an offset, a cut, a decay or a weight of its own. Each is one line on the
// log-ratios, with the source that it is of.

import {
  clamp,
  exp,
  iota,
  log,
  logSigmoid,
  maximum,
  neg,
  objective,
  param,
  pow,
  real,
  sigmoid,
  sum,
} from "../dsl/index.ts";
import type { Expr, Given, Model, PerExample, Response } from "../dsl/index.ts";
import { betaOptions, type BetaOptions } from "./margins.ts";
import { checkOptions, positive, type NumberRange, type OptionKinds } from "./options.ts";
import { logRatio, margin, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

const notNegative: NumberRange = { from: 0 };
const share: NumberRange = { above: 0, to: 1 };

/** An objective of the log-ratios of a pair and of β, with TRL's metrics. */
const ofPair = (
  name: string,
  source: string,
  beta: number,
  loss: (g: Given<Pair>, β: Expr) => Expr<PerExample>,
): PairwiseObjective => {
  const β = param("beta", beta, positive);
  return objective(name, ["w", "l"], (g) => loss(g, β), {
    source,
    metrics: (g) => pairMetrics(g, β),
  });
};

/** Options of DPOP. */
export interface DpopOptions extends BetaOptions {
  /** λ, the weight of the penalty; 50. */
  readonly lambda?: number;
}
export const dpopOptions: OptionKinds = { ...betaOptions, lambda: notNegative };

/**
 * −log σ(β(Δ − λ max(0, log π_ref(y_w)/π(y_w)))): DPO-Positive, Pal et al. 2024 (arXiv 2402.13228), equation 3
 *
 * Before the first step the maximum is at its kink. It is `maximum`, which hands on half of the slope there; spelled by relu
 * it would be none of it, and by clamp the whole.
 */
export function dpop(options: DpopOptions = {}): PairwiseObjective {
  const { beta = 0.1, lambda = 50 } = checkOptions("dpop", dpopOptions, options);
  const λ = param("lambda", lambda, notNegative);
  return ofPair("dpop", "Pal et al. 2024, arXiv 2402.13228, equation 3", beta, (g, β) => {
    const penalty = maximum(neg(logRatio(g, g.y.w)), 0);
    return neg(logSigmoid(β.times(margin(g).minus(λ.times(penalty)))));
  });
}

/** −log σ(β h_w − β max(0, h_l)). Xie et al. 2024 (arXiv 2408.09834), MinorDPO; the maximum is `maximum`, as of DPOP. */
export function minorDpo(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("minorDpo", betaOptions, options);
  return ofPair("minor-dpo", "Xie et al. 2024, arXiv 2408.09834, MinorDPO", beta, (g, β) =>
    neg(logSigmoid(β.times(logRatio(g, g.y.w).minus(maximum(logRatio(g, g.y.l), 0))))),
  );
}

/** Options of ODPO. */
export interface OdpoOptions extends BetaOptions {
  /** α, the weight of the offset; 1. */
  readonly alpha?: number;
}
export const odpoOptions: OptionKinds = { ...betaOptions, alpha: notNegative };

/**
 * −log σ(βΔ − α log(r_w − r_l)) of known scores r_w > r_l, the examples "chosen_reward" and "rejected_reward"
 *
 * DPO with an offset, Amini et al. 2024 (arXiv 2402.10571), equation 8 with f = log.
 */
export function odpo(options: OdpoOptions = {}): PairwiseObjective {
  const { beta = 0.1, alpha = 1 } = checkOptions("odpo", odpoOptions, options);
  const α = param("alpha", alpha, notNegative);
  return ofPair("odpo", "Amini et al. 2024, arXiv 2402.10571, equation 8", beta, (g, β) => {
    const chosen = g.example("chosen_reward", { above: "rejected_reward" });
    const gap = chosen.minus(g.example("rejected_reward"));
    return neg(logSigmoid(β.times(margin(g)).minus(α.times(log(gap)))));
  });
}

/** Options of χPO. */
export interface ChiPoOptions extends BetaOptions {
  /** R, half of the bound of the margin; none. */
  readonly r_max?: number;
}
export const chiPoOptions: OptionKinds = { ...betaOptions, r_max: positive };

/**
 * −log σ(β(φ(h_w) − φ(h_l))), φ(h) = eʰ + h, the margin kept within ±2R where R is given
 *
 * Huang et al. 2024 (arXiv 2407.13399), algorithm 1.
 */
export function chiPo(options: ChiPoOptions = {}): PairwiseObjective {
  const { beta = 0.1, r_max } = checkOptions("chiPo", chiPoOptions, options);
  return ofPair("chi-po", "Huang et al. 2024, arXiv 2407.13399, algorithm 1", beta, (g, β) => {
    const φ = (h: Expr<PerExample>): Expr<PerExample> => exp(h).plus(h);
    const x = β.times(φ(logRatio(g, g.y.w)).minus(φ(logRatio(g, g.y.l))));
    if (r_max === undefined) return neg(logSigmoid(x));
    const most = param("r_max", r_max, positive).times(2);
    return neg(logSigmoid(clamp(x, { min: neg(most), max: most })));
  });
}

/** Options of FocalPO. */
export interface FocalPoOptions extends BetaOptions {
  /** γ, how much pairs count that are ranked rightly already; 0.05. */
  readonly gamma?: number;
}
export const focalPoOptions: OptionKinds = { ...betaOptions, gamma: notNegative };

/** −p^γ log p, p = σ(βΔ). Liu et al. 2025 (arXiv 2501.06645), FocalPO. */
export function focalPo(options: FocalPoOptions = {}): PairwiseObjective {
  const { beta = 0.1, gamma = 0.05 } = checkOptions("focalPo", focalPoOptions, options);
  const γ = param("gamma", gamma, notNegative);
  return ofPair("focal-po", "Liu et al. 2025, arXiv 2501.06645", beta, (g, β) => {
    const logP = logSigmoid(β.times(margin(g)));
    return neg(exp(γ.times(logP)).times(logP));
  });
}

/** Options of D²PO. */
export interface D2poOptions extends BetaOptions {
  /** γ, what each token counts of the one before it; 0.98. */
  readonly gamma?: number;
}
export const d2poOptions: OptionKinds = { ...betaOptions, gamma: share };

/** −log σ(β Σ_t γ^t (log π(y_t)/π_ref(y_t) of y_w, less that of y_l)). Shao et al. 2025 (arXiv 2502.14340), temporal decay. */
export function d2po(options: D2poOptions = {}): PairwiseObjective {
  const { beta = 0.1, gamma = 0.98 } = checkOptions("d2po", d2poOptions, options);
  const γ = param("gamma", gamma, share);
  return ofPair("d2po", "Shao et al. 2025, arXiv 2502.14340", beta, (g, β) => {
    const decayed = <R extends string>(m: Model, y: Response<R>): Expr<PerExample> =>
      sum("token", m.logp(y).times(pow(γ, real(iota("token", y)))));
    const h = <R extends string>(y: Response<R>): Expr<PerExample> =>
      decayed(g.policy, y).minus(decayed(g.ref, y));
    return neg(logSigmoid(β.times(h(g.y.w).minus(h(g.y.l)))));
  });
}

/** Options of the contrastive losses of known rewards. */
export interface NcaOptions extends BetaOptions {
  /** α, the temperature of the known rewards; 1. */
  readonly alpha?: number;
}
export const ncaOptions: OptionKinds = { ...betaOptions, alpha: positive };

/** σ((r_w − r_l)/α): how much of the weight of a pair the chosen response has by known rewards. */
const preference = (g: Given<Pair>, alpha: number): Expr<PerExample> =>
  sigmoid(
    g
      .example("chosen_reward")
      .minus(g.example("rejected_reward"))
      .over(param("alpha", alpha, positive)),
  );

/** −p log σ(βΔ) − (1 − p) log σ(−βΔ), p by known rewards. Chen et al. 2024 (arXiv 2402.05369), InfoNCA of two responses. */
export function infoNca(options: NcaOptions = {}): PairwiseObjective {
  const { beta = 0.1, alpha = 1 } = checkOptions("infoNca", ncaOptions, options);
  return ofPair("infonca", "Chen et al. 2024, arXiv 2402.05369, InfoNCA", beta, (g, β) => {
    const [p, x] = [preference(g, alpha), β.times(margin(g))];
    return neg(
      p.times(logSigmoid(x)).plus(
        p
          .times(-1)
          .plus(1)
          .times(logSigmoid(neg(x))),
      ),
    );
  });
}

/**
 * −p log σ(βh_w) − (1 − p) log σ(βh_l) − ½ log σ(−βh_w) − ½ log σ(−βh_l), p by known rewards
 *
 * Chen et al. 2024 (arXiv 2402.05369), NCA of two responses; with p = 1 it is `ncaPair`.
 */
export function nca(options: NcaOptions = {}): PairwiseObjective {
  const { beta = 0.1, alpha = 1 } = checkOptions("nca", ncaOptions, options);
  return ofPair("nca", "Chen et al. 2024, arXiv 2402.05369, NCA", beta, (g, β) => {
    const p = preference(g, alpha);
    const [w, l] = [β.times(logRatio(g, g.y.w)), β.times(logRatio(g, g.y.l))];
    const kept = p.times(logSigmoid(w)).plus(p.times(-1).plus(1).times(logSigmoid(l)));
    const low = logSigmoid(neg(w))
      .plus(logSigmoid(neg(l)))
      .times(0.5);
    return neg(kept.plus(low));
  });
}
