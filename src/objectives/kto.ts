// Kahneman-Tversky optimisation: feedback on single completions, each desirable or not. A completion is judged by how far
// its log-ratio lies from a reference point, which is what the policy gains on completions of other prompts.

import {
  constant,
  mean,
  neg,
  objective,
  param,
  relu,
  sigmoid,
  stopGrad,
  where,
} from "../dsl/index.ts";
import type { Expr, Given, ObjectiveOf } from "../dsl/index.ts";
import { checkApplies, checkOptions, type OptionKinds } from "./options.ts";
import { logRatio } from "./pairwise.ts";
import { groupMetrics, isDesirable } from "./unpaired.ts";

/** The reference point, and defaults of the run-time parameters of the same names. */
export interface KtoOptions {
  /** "kto", or "apo_zero_unpaired", whose reference point is 0; "kto". */
  readonly loss_type?: "kto" | "apo_zero_unpaired";
  /**
   * Where the divergence comes from: "estimated" on the mismatched completions "kl" of the batch, or "given" as the run-time
   * parameter kl; "estimated". Read with "kto".
   */
  readonly divergence?: "estimated" | "given";
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /** λ_D, the weight of desirable completions; 1. */
  readonly desirable_weight?: number;
  /** λ_U, the weight of undesirable completions; 1. */
  readonly undesirable_weight?: number;
}

export const ktoOptions: OptionKinds = {
  loss_type: ["kto", "apo_zero_unpaired"],
  divergence: ["estimated", "given"],
  beta: "number",
  desirable_weight: "number",
  undesirable_weight: "number",
};

/** z₀ = max(0, the average log-ratio of mismatched completions), which is data to the gradient. */
const referencePoint = (g: Given<"y" | "kl">): Expr =>
  stopGrad(relu(mean("batch", logRatio(g, g.y.kl))));

/**
 * λ_D (1 − σ(β (h − z₀))) for a desirable completion, λ_U (1 − σ(β (z₀ − h))) for an undesirable one
 *
 * h is the log-ratio of the completion "y", z₀ the reference point; 1 − σ(x) is written σ(−x), which keeps its digits.
 * example("desirable") is 1 or 0. The average is over all completions, so a batch of one kind is fine. Ethayarajh et al. 2024
 * (arXiv 2402.01306), equation 8; apo_zero_unpaired: D'Oosterlinck et al. 2024 (arXiv 2408.06266). TRL,
 * trl/trainer/kto_trainer.py, `_compute_loss` and `_compute_kl_logps`.
 */
export function kto(options: KtoOptions = {}): ObjectiveOf<"y" | "kl"> {
  const given = checkOptions("kto", ktoOptions, options);
  const { loss_type = "kto", divergence = "estimated", beta = 0.1 } = given;
  const { desirable_weight = 1, undesirable_weight = 1 } = given;
  checkApplies("kto", "loss_type", loss_type, given, { divergence: ["kto"] });
  const β = param("beta", beta);
  const [λD, λU] = [
    param("desirable_weight", desirable_weight),
    param("undesirable_weight", undesirable_weight),
  ];
  const estimated = loss_type === "kto" && divergence === "estimated";
  const gain = loss_type === "kto" ? param("kl") : constant(0);
  return objective<"y" | "kl">(
    "kto",
    estimated ? ["y", "kl"] : ["y"],
    (g) => {
      const h = logRatio(g, g.y.y);
      const z = estimated ? referencePoint(g) : gain;
      const x = β.times(h.minus(z));
      const loss = where(isDesirable(g), λD.times(sigmoid(neg(x))), λU.times(sigmoid(x)));
      return { loss, metrics: { ...groupMetrics(g, β.times(h)), kl: z } };
    },
    {
      source:
        "Ethayarajh et al. 2024, arXiv 2402.01306, equation 8; apo_zero_unpaired: D'Oosterlinck et al. 2024, arXiv 2408.06266; TRL, trl/trainer/kto_trainer.py, _compute_loss",
    },
  );
}
