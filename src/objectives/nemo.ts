// The preference losses of NeMo-Aligner: DPO, IPO, and reward-aware preference optimisation, which draws the margin of the
// policy to the margin that rewards known for both responses have.

import { constant, exp, logSigmoid, neg, objective, param, square } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import type { Expr, Given, PerExample, Response } from "../dsl/index.ts";
import { averageLogps } from "./contrast.ts";
import { checkApplies, checkOptions, type OptionKinds } from "./options.ts";
import { rewardMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** The loss, and defaults of the run-time parameters of the same names. */
export interface NemoOptions {
  /** "dpo", "ipo", or the distance between the margins of reward-aware preference optimisation; "dpo". */
  readonly preference_loss?: "dpo" | "ipo" | "rpo_bwd_kl" | "rpo_fwd_kl" | "rpo_sq";
  /** β, in the source `ref_policy_kl_penalty`; 0.2. */
  readonly beta?: number;
  /** Factor of the given rewards; 1. Read with the rpo losses. */
  readonly gt_reward_scale?: number;
  /** Weight of the preference loss; 1. */
  readonly preference_loss_weight?: number;
  /** Weight of −log π(y_w); 0. */
  readonly sft_loss_weight?: number;
  /** Whether log-ratios are averaged over tokens rather than summed; false. */
  readonly preference_average_log_probs?: boolean;
  /** Whether log π(y_w) is averaged over tokens; as `preference_average_log_probs`. */
  readonly sft_average_log_probs?: boolean;
}

export const nemoOptions: OptionKinds = {
  preference_loss: ["dpo", "ipo", "rpo_bwd_kl", "rpo_fwd_kl", "rpo_sq"],
  beta: "number",
  gt_reward_scale: "number",
  preference_loss_weight: "number",
  sft_loss_weight: "number",
  preference_average_log_probs: "boolean",
  sft_average_log_probs: "boolean",
};

const rewardAware = ["rpo_bwd_kl", "rpo_fwd_kl", "rpo_sq"];

/** KL(Bernoulli(σ(a)) ‖ Bernoulli(σ(b))) */
export const bernoulliKl: (a: Expr<PerExample>, b: Expr<PerExample>) => Expr<PerExample> = taking(
  "bernoulliKl",
  ["expression", "expression"],
  (a, b) => {
    const term = (a: Expr<PerExample>, b: Expr<PerExample>): Expr<PerExample> =>
      exp(logSigmoid(a)).times(logSigmoid(a).minus(logSigmoid(b)));
    return term(a, b).plus(term(neg(a), neg(b)));
  },
);

/**
 * weight · ℓ + sft_loss_weight · −log π(y_w), where Δ is the difference of the log-ratios, Δ* that of the given rewards
 * times gt_reward_scale, and ℓ is
 *
 * - "dpo": −log σ(βΔ)
 * - "ipo": (Δ − 1/(2β))²
 * - "rpo_bwd_kl": KL(σ(Δ*) ‖ σ(βΔ)), "rpo_fwd_kl": KL(σ(βΔ) ‖ σ(Δ*)), of Bernoulli distributions
 * - "rpo_sq": (βΔ − Δ*)²
 *
 * The rpo losses need numbers per example named "chosen_reward" and "rejected_reward". Adler et al. 2024
 * (arXiv 2406.11704) and Sun et al. 2025 (arXiv 2502.00203); NeMo-Aligner, megatron_gpt_dpo_model.py, `loss_func` and
 * `sft_loss_func`.
 */
export function nemo(options: NemoOptions = {}): PairwiseObjective {
  const given = checkOptions("nemo", nemoOptions, options);
  const { preference_loss = "dpo", preference_average_log_probs = false } = given;
  const { sft_average_log_probs = preference_average_log_probs } = given;
  checkApplies("nemo", "preference_loss", preference_loss, given, { gt_reward_scale: rewardAware });
  const β = param("beta", given.beta ?? 0.2);
  const scale = param("gt_reward_scale", given.gt_reward_scale ?? 1);
  const [preference, sft] = [
    param("preference_loss_weight", given.preference_loss_weight ?? 1),
    param("sft_loss_weight", given.sft_loss_weight ?? 0),
  ];
  const logRatio = <R extends Pair>(
    { policy, ref }: Given<Pair>,
    y: Response<R>,
  ): Expr<PerExample> =>
    preference_average_log_probs
      ? averageLogps(policy, y).minus(averageLogps(ref, y))
      : policy.logps(y).minus(ref.logps(y));
  const known = (g: Given<Pair>): Expr<PerExample> =>
    scale.times(g.example("chosen_reward").minus(g.example("rejected_reward")));
  const losses = {
    dpo: (Δ: Expr<PerExample>) => neg(logSigmoid(β.times(Δ))),
    ipo: (Δ: Expr<PerExample>) => square(Δ.minus(constant(0.5).over(β))),
    rpo_bwd_kl: (Δ: Expr<PerExample>, g: Given<Pair>) => bernoulliKl(known(g), β.times(Δ)),
    rpo_fwd_kl: (Δ: Expr<PerExample>, g: Given<Pair>) => bernoulliKl(β.times(Δ), known(g)),
    rpo_sq: (Δ: Expr<PerExample>, g: Given<Pair>) => square(β.times(Δ).minus(known(g))),
  };
  return objective(
    "nemo",
    ["w", "l"],
    (g) => {
      const Δ = logRatio(g, g.y.w).minus(logRatio(g, g.y.l));
      const logps = sft_average_log_probs ? averageLogps(g.policy, g.y.w) : g.policy.logps(g.y.w);
      return preference.times(losses[preference_loss](Δ, g)).minus(sft.times(logps));
    },
    {
      source:
        "Adler et al. 2024, arXiv 2406.11704; Sun et al. 2025, arXiv 2502.00203; NeMo-Aligner, megatron_gpt_dpo_model.py, loss_func",
      metrics: (g) => rewardMetrics(g, β.times(logRatio(g, g.y.w)), β.times(logRatio(g, g.y.l))),
    },
  );
}
