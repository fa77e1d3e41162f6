// Token-level direct preference optimisation: DPO with the divergence of the policy from the reference at every
// token of both responses, over the whole vocabulary.

import { exp, logSigmoid, neg, objective, param, stopGrad, sum } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import type { Expr, Given, Metrics, Models, PerExample, Response } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logPi, logRatio, margin, rewardMetrics } from "./pairwise.ts";
import type { Pair, PairwiseObjective } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names. */
export interface Tdpo1Options {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
}

export interface Tdpo2Options extends Tdpo1Options {
  /** α, how much the divergences count; 0.5. */
  readonly alpha?: number;
}

export const tdpo1Options: OptionKinds = { beta: "number" };
export const tdpo2Options: OptionKinds = { beta: "number", alpha: "number" };

/**
 * Σ_t KL(π_ref ‖ π) at the tokens of a response. From log-probabilities, not from logarithms of probabilities: those
 * are −∞ in single precision once logits are some hundred apart.
 */
export const sequenceKl: <R extends string>(given: Models, y: Response<R>) => Expr<PerExample> =
  taking(
    "sequenceKl",
    ["models"],
    <R extends string>({ policy, ref }: Models, y: Response<R>): Expr<PerExample> => {
      const [logP, logRef] = [logPi(policy, y), logPi(ref, y)];
      return sum("token", sum("vocab", exp(logRef).times(logRef.minus(logP))));
    },
  );

/** Rewards β(h + K) of the authors' code. */
const metrics = (g: Given<Pair>, β: Expr): Metrics =>
  rewardMetrics(
    g,
    β.times(logRatio(g, g.y.w).plus(sequenceKl(g, g.y.w))),
    β.times(logRatio(g, g.y.l).plus(sequenceKl(g, g.y.l))),
  );

const source = "Zeng et al. 2024, arXiv 2404.11999; the authors' trainers.py, tdpo_loss";

/**
 * −log σ(β(Δ − (K_l − K_w))) with K = Σ_t KL(π_ref ‖ π)
 *
 * TDPO₁ of Zeng et al. 2024 (arXiv 2404.11999); the authors' trainers.py, `tdpo_loss` with `if_tdpo2=False`.
 */
export function tdpo1(options: Tdpo1Options = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("tdpo1", tdpo1Options, options);
  const β = param("beta", beta);
  return objective(
    "tdpo1",
    ["w", "l"],
    (g) => {
      const x = margin(g).minus(sequenceKl(g, g.y.l).minus(sequenceKl(g, g.y.w)));
      return neg(logSigmoid(β.times(x)));
    },
    { source: `${source} with if_tdpo2=False`, metrics: (g) => metrics(g, β) },
  );
}

/**
 * −log σ(β(Δ − α(K_l − sg(K_w)))): the divergence on the chosen response is data to the gradient.
 *
 * TDPO₂ of Zeng et al. 2024 (arXiv 2404.11999); the authors' trainers.py, `tdpo_loss`.
 */
export function tdpo2(options: Tdpo2Options = {}): PairwiseObjective {
  const { beta = 0.1, alpha = 0.5 } = checkOptions("tdpo2", tdpo2Options, options);
  const [β, α] = [param("beta", beta), param("alpha", alpha)];
  return objective(
    "tdpo2",
    ["w", "l"],
    (g) => {
      const divergence = sequenceKl(g, g.y.l).minus(stopGrad(sequenceKl(g, g.y.w)));
      return neg(logSigmoid(β.times(margin(g).minus(α.times(divergence)))));
    },
    { source, metrics: (g) => metrics(g, β) },
  );
}
