// Contrastive preference optimisation and what TRL trains beside it without a reference model: SimPO, which scores by
// the average per token, and AlphaPO, which bends the score.

import {
  abs,
  constant,
  exp,
  expm1,
  maximum,
  minimum,
  named,
  neg,
  objective,
  param,
  square,
  where,
} from "../dsl/index.ts";
import type { Expr, PerExample } from "../dsl/index.ts";
import { contrastMetrics, hinge, likelihood, logistic, scores, type Both } from "./contrast.ts";
import { checkApplies, checkOptions, smoothing, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";

/** How the difference of the scores becomes a loss, and defaults of the run-time parameters of the same names. */
export interface CpoOptions {
  /** "sigmoid" and "hinge" score by log π(y | x), "ipo" and "simpo" by its average per token; "sigmoid". */
  readonly loss_type?: "sigmoid" | "hinge" | "ipo" | "simpo";
  /** β, the scale of the score; 0.1. */
  readonly beta?: number;
  /** ε, the probability that a preference label is wrong; 0. Read with "sigmoid" and "simpo". */
  readonly label_smoothing?: number;
  /** γ, by how much the chosen reward should exceed the rejected one; 0.5. Read with "simpo". */
  readonly simpo_gamma?: number;
  /** Weight of the negative log-likelihood of the chosen responses; 1. */
  readonly cpo_alpha?: number;
  /** α of AlphaPO. Given (0 is possible), scores are (1 − p^−α)/α rather than log p, which is their limit at 0. */
  readonly alpha?: number;
}

export const cpoOptions: OptionKinds = {
  loss_type: ["sigmoid", "hinge", "ipo", "simpo"],
  beta: "number",
  label_smoothing: smoothing,
  simpo_gamma: "number",
  cpo_alpha: "number",
  alpha: "number",
};

const readers = { label_smoothing: ["sigmoid", "simpo"], simpo_gamma: ["simpo"] };

/** Below it p^−α differs from 1 by a rounding error, and so do scores from their limit. */
const smallest = 1e-6;

/** (1 − p^−α)/α of log p. p^−α is e^(−α log p), since p itself would round to 0; the limit at α = 0 is log p. */
const alphaReward = (logp: Expr<PerExample>, alpha: Expr): Expr<PerExample> => {
  const isLimit = abs(alpha).lt(smallest);
  const α = where(isLimit, smallest, alpha);
  return where(isLimit, logp, neg(expm1(neg(α.times(logp)))).over(α));
};

/** A loss that is 0 for a large margin is 0 from e^this on as well, and float32 can hold it. */
const farEnough = 80;

/**
 * The difference of two such rewards, (e^a − e^b)/α = ± e^max(a, b) (1 − e^−|a − b|)/α with a = −α log p_l, b = −α log p_w.
 * Where the chosen response is ahead and the loss is flat there, the exponent ends at `farEnough`.
 */
const alphaMargin = (logps: Both, alpha: Expr, isFlat: Expr<{}, "bool">): Expr<PerExample> => {
  const isLimit = abs(alpha).lt(smallest);
  const α = where(isLimit, smallest, alpha);
  const [a, b] = [neg(α.times(logps.rejected)), neg(α.times(logps.chosen))];
  const [isAhead, larger] = [a.gt(b), maximum(a, b)];
  const sign = where(isAhead, 1, -1);
  const scale = exp(where(isAhead.and(isFlat), minimum(larger, farEnough), larger)).times(sign);
  const difference = scale.times(neg(expm1(neg(sign.times(a.minus(b))))));
  return where(isLimit, logps.chosen.minus(logps.rejected), difference.over(α));
};

/**
 * ℓ(Δ) + cpo_alpha · NLL(y_w), where Δ = s(y_w) − s(y_l) and s is log π(y | x), or its average per token:
 *
 * - "sigmoid": −(1 − ε) log σ(βΔ) − ε log σ(−βΔ), Xu et al. 2024 (arXiv 2401.08417), equation 3
 * - "hinge": max(0, 1 − βΔ)
 * - "ipo": (Δ − 1/(2β))²
 * - "simpo": as "sigmoid" of βΔ − γ, Meng et al. 2024 (arXiv 2405.14734), equation 6
 *
 * NLL is averaged over all chosen completion tokens of the batch. With α, AlphaPO: Gupta et al. 2025 (arXiv 2501.03884).
 * TRL, trl/experimental/cpo/cpo_trainer.py, `cpo_loss` and `get_batch_loss_metrics`.
 */
export function cpo(options: CpoOptions = {}): PairwiseObjective {
  const given = checkOptions("cpo", cpoOptions, options);
  const {
    loss_type = "sigmoid",
    beta = 0.1,
    label_smoothing = 0,
    simpo_gamma = 0.5,
    cpo_alpha = 1,
    alpha,
  } = given;
  checkApplies("cpo", "loss_type", loss_type, given, readers);
  const [β, ε, γ] = [
    param("beta", beta),
    param("label_smoothing", label_smoothing, smoothing),
    param("simpo_gamma", simpo_gamma),
  ];
  const λ = param("cpo_alpha", cpo_alpha);
  const link = {
    sigmoid: (Δ: Expr<PerExample>) => logistic(β.times(Δ), ε),
    hinge: (Δ: Expr<PerExample>) => hinge(β.times(Δ)),
    ipo: (Δ: Expr<PerExample>) => square(Δ.minus(constant(0.5).over(β))),
    simpo: (Δ: Expr<PerExample>) => logistic(β.times(Δ).minus(γ), ε),
  }[loss_type];
  // what is lost beyond a large margin: nothing, unless a share of the labels is wrong or the loss is a square
  const isFlat = { sigmoid: ε, simpo: ε, hinge: constant(0), ipo: constant(1) }[loss_type].eq(0);
  const bent = alpha === undefined ? undefined : param("alpha", alpha);
  const reward = (logp: Expr<PerExample>): Expr<PerExample> =>
    bent === undefined ? logp : alphaReward(logp, bent);
  return objective(
    "cpo",
    ["w", "l"],
    ({ policy, y }) => {
      const logps = scores(policy, y, loss_type === "ipo" || loss_type === "simpo");
      const r = { chosen: reward(logps.chosen), rejected: reward(logps.rejected) };
      const Δ = bent === undefined ? r.chosen.minus(r.rejected) : alphaMargin(logps, bent, isFlat);
      const nll = likelihood(policy, y.w);
      const metrics = { ...contrastMetrics(r, β, logps), nll_loss: where(λ.eq(0), 0, nll) };
      return { loss: link(Δ).plus(λ.times(nll)), metrics };
    },
    {
      source:
        "Xu et al. 2024, arXiv 2401.08417, equation 3; simpo: Meng et al. 2024, arXiv 2405.14734, equation 6; alpha: Gupta et al. 2025, arXiv 2501.03884; TRL, trl/experimental/cpo/cpo_trainer.py",
    },
  );
}

/** Defaults of the run-time parameters of the same names. */
export type AlphapoOptions = Omit<CpoOptions, "loss_type">;
const { loss_type: _, ...alphapoKinds } = cpoOptions;
export const alphapoOptions: OptionKinds = alphapoKinds;

/**
 * −log σ(β (r(y_w) − r(y_l)) − γ), r(y) = (1 − p^−α)/α, p = π(y | x)^(1/|y|)
 *
 * Gupta et al. 2025 (arXiv 2501.03884), in TRL's parameters (trl/experimental/cpo/cpo_trainer.py with
 * loss_type="simpo" and alpha): β = 0.1, γ = simpo_gamma = 0.5, and here α = 0.25 and cpo_alpha = 0.
 */
export function alphapo(options: AlphapoOptions = {}): PairwiseObjective {
  const { alpha = 0.25, cpo_alpha = 0, ...rest } = checkOptions("alphapo", alphapoOptions, options);
  return named("alphapo", cpo({ ...rest, loss_type: "simpo", alpha, cpo_alpha }));
}
