// Triple preference optimisation: a contrast of two responses without a reference model, and beside it a third, the gold
// response, whose likelihood is raised.

import { constant, objective, param, square } from "../dsl/index.ts";
import type { Expr, ObjectiveOf, PerExample } from "../dsl/index.ts";
import { contrastMetrics, hinge, likelihood, logistic, scores } from "./contrast.ts";
import { checkApplies, checkOptions, smoothing, type OptionKinds } from "./options.ts";
import type { Pair } from "./pairwise.ts";

/** How the difference of the scores becomes a loss, and defaults of the run-time parameters of the same names. */
export interface TpoOptions {
  /** "sigmoid" and "hinge" score by log π(y | x), "ipo" and "tpo-l" by its average per token; "sigmoid". */
  readonly loss_type?: "sigmoid" | "hinge" | "ipo" | "tpo-l";
  /** β, the scale of the score; 0.01. */
  readonly beta?: number;
  /** ε, the probability that a preference label is wrong; 0. Read with "sigmoid" and "tpo-l". */
  readonly label_smoothing?: number;
  /** γ, by how much the chosen reward should exceed the rejected one; 0.5. Read with "tpo-l". */
  readonly tpo_l_gamma?: number;
  /** Weight of the negative log-likelihood of the gold responses; 1. Written as 0, no gold response is read at all. */
  readonly tpo_alpha?: number;
}

export const tpoOptions: OptionKinds = {
  loss_type: ["sigmoid", "hinge", "ipo", "tpo-l"],
  beta: "number",
  label_smoothing: smoothing,
  tpo_l_gamma: "number",
  tpo_alpha: "number",
};

const readers = { label_smoothing: ["sigmoid", "tpo-l"], tpo_l_gamma: ["tpo-l"] };

/**
 * ℓ(Δ) + tpo_alpha · NLL(y_gold), where Δ = s(y_w) − s(y_l) and s is log π(y | x), or its average per token:
 *
 * - "sigmoid": −(1 − ε) log σ(βΔ) − ε log σ(−βΔ)
 * - "hinge": max(0, 1 − βΔ)
 * - "ipo": (Δ − 1/(2β))²
 * - "tpo-l": as "sigmoid" of βΔ − γ
 *
 * Saeidi et al. 2024 (arXiv 2405.16681). TRL, trl/experimental/tpo/tpo_trainer.py, `_compute_loss`. NLL is averaged over
 * all gold completion tokens of the batch; the gold response is called "gold".
 */
export function tpo(options: TpoOptions = {}): ObjectiveOf<Pair | "gold"> {
  const given = checkOptions("tpo", tpoOptions, options);
  const {
    loss_type = "sigmoid",
    beta = 0.01,
    label_smoothing = 0,
    tpo_l_gamma = 0.5,
    tpo_alpha = 1,
  } = given;
  checkApplies("tpo", "loss_type", loss_type, given, readers);
  const [β, ε] = [param("beta", beta), param("label_smoothing", label_smoothing, smoothing)];
  const [γ, λ] = [param("tpo_l_gamma", tpo_l_gamma), param("tpo_alpha", tpo_alpha)];
  const link = {
    sigmoid: (Δ: Expr<PerExample>) => logistic(β.times(Δ), ε),
    hinge: (Δ: Expr<PerExample>) => hinge(β.times(Δ)),
    ipo: (Δ: Expr<PerExample>) => square(Δ.minus(constant(0.5).over(β))),
    "tpo-l": (Δ: Expr<PerExample>) => logistic(β.times(Δ).minus(γ), ε),
  }[loss_type];
  return objective<Pair | "gold">(
    "tpo",
    tpo_alpha === 0 ? ["w", "l"] : ["w", "l", "gold"],
    ({ policy, y }) => {
      const logps = scores(policy, y, loss_type === "ipo" || loss_type === "tpo-l");
      const preference = link(logps.chosen.minus(logps.rejected));
      const metrics = contrastMetrics(logps, β, logps);
      if (tpo_alpha === 0) return { loss: preference, metrics };
      return { loss: preference.plus(λ.times(likelihood(policy, y.gold))), metrics };
    },
    {
      source:
        "Saeidi et al. 2024, arXiv 2405.16681; TRL, trl/experimental/tpo/tpo_trainer.py, _compute_loss",
    },
  );
}
