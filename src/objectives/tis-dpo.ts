// Token-level importance sampling for DPO: each token counts by a weight that is given with it, an estimate of how much
// better or worse it is than what the policy would have said.

import { exp, logSigmoid, neg, objective, param, sum } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import type { Expr, Given, Models, PerExample, PerToken, Response } from "../dsl/index.ts";
import { checkApplies, checkOptions, type OptionKinds } from "./options.ts";
import { logPi, rewardMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names, and the form of the loss. */
export interface TisDpoOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /** α, how much the divergences count; 0.5. Only with `token_level`. */
  readonly alpha?: number;
  /** Whether the weighted divergences enter the margin; false. */
  readonly token_level?: boolean;
}

export const tisDpoOptions: OptionKinds = {
  beta: "number",
  alpha: "number",
  token_level: "boolean",
};

/** KL(π ‖ π_ref) at each token. The gradient passes through the policy that averages as well. */
export const tokenKl: <R extends string>(given: Models, y: Response<R>) => Expr<PerToken<R>> =
  taking(
    "tokenKl",
    ["models"],
    <R extends string>({ policy, ref }: Models, y: Response<R>): Expr<PerToken<R>> => {
      const [logP, logRef] = [logPi(policy, y), logPi(ref, y)];
      return sum("vocab", exp(logP).times(logP.minus(logRef)));
    },
  );

/** Σ_t ω_t x_t with the weights that are given with the tokens under the name "weight". */
const weighted = <R extends Pair>(
  g: Given<Pair>,
  y: Response<R>,
  x: Expr<PerToken<R>>,
): Expr<PerExample> => sum("token", g.tokens("weight", y).times(x));

/** Σ_t ω_t (log π(y_t) − log π_ref(y_t)) */
const logRatio = <R extends Pair>(g: Given<Pair>, y: Response<R>): Expr<PerExample> =>
  weighted(g, y, g.policy.logp(y).minus(g.ref.logp(y)));

/**
 * −log σ(β(h_w − h_l)) with h = Σ_t ω_t (log π(y_t) − log π_ref(y_t)); at the token level
 * −log σ(β(h_w − h_l − α(K_w − K_l))) with K = Σ_t ω_t KL(π ‖ π_ref).
 *
 * Needs a number per token named "weight" with both responses: ω. Liu et al. 2024 (arXiv 2410.04350); the authors'
 * trainers.py, `tisdpo_loss` and `_get_batch_logps_tisdpo`, whose rewards are β h, or β(h − K) at the token level.
 */
export function tisDpo(options: TisDpoOptions = {}): PairwiseObjective {
  const given = checkOptions("tis-dpo", tisDpoOptions, options);
  const { beta = 0.1, alpha = 0.5, token_level = false } = given;
  checkApplies("tis-dpo", "token_level", String(token_level), given, { alpha: ["true"] });
  const [β, α] = [param("beta", beta), param("alpha", alpha)];
  const kl = <R extends Pair>(g: Given<Pair>, y: Response<R>): Expr<PerExample> =>
    weighted(g, y, tokenKl(g, y));
  const value = <R extends Pair>(g: Given<Pair>, y: Response<R>): Expr<PerExample> =>
    token_level ? logRatio(g, y).minus(kl(g, y)) : logRatio(g, y);
  return objective(
    "tis-dpo",
    ["w", "l"],
    (g) => {
      const h = logRatio(g, g.y.w).minus(logRatio(g, g.y.l));
      const x = token_level ? h.minus(α.times(kl(g, g.y.w).minus(kl(g, g.y.l)))) : h;
      return neg(logSigmoid(β.times(x)));
    },
    {
      source: "Liu et al. 2024, arXiv 2410.04350; the authors' trainers.py, tisdpo_loss",
      metrics: (g) => rewardMetrics(g, β.times(value(g, g.y.w)), β.times(value(g, g.y.l))),
    },
  );
}
