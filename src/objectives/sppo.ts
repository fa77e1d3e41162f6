// Self-play preference optimisation: the log-ratio of a response is drawn to how often it wins, which a preference model
// estimates and the batch brings.

import { constant, objective, param, square } from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logRatio, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Which probabilities are given, and the default of the run-time parameter. */
export interface SppoOptions {
  /** β, how strongly the policy is held to the reference; 0.001. */
  readonly beta?: number;
  /** "sppo": a winning probability of each response; "sppo_single": one that the chosen beats the rejected. */
  readonly loss_type?: "sppo" | "sppo_single";
}

export const sppoOptions: OptionKinds = {
  beta: "number",
  loss_type: ["sppo", "sppo_single"],
};

/** P_w and P_l of an example; of one given probability P, they are P and 1 − P. */
const probabilities = {
  sppo: (g: Given<Pair>) =>
    [g.example("chosen_probs_win"), g.example("chosen_probs_lose")] as const,
  sppo_single: (g: Given<Pair>) => {
    const won = g.example("chosen_probs");
    return [won, constant(1).minus(won)] as const;
  },
};

/**
 * ½ [(h_w − (P_w − ½)/β)² + (h_l − (P_l − ½)/β)²]
 *
 * Needs numbers per example: "chosen_probs_win" and "chosen_probs_lose", or "chosen_probs" for "sppo_single". Wu et al.
 * 2024 (arXiv 2405.00675); the authors' sppo/trainer.py, `sppo_loss`.
 */
export function sppo(options: SppoOptions = {}): PairwiseObjective {
  const { beta = 0.001, loss_type = "sppo" } = checkOptions("sppo", sppoOptions, options);
  const β = param("beta", beta);
  const distance = (h: Expr<PerExample>, p: Expr<PerExample>): Expr<PerExample> =>
    square(h.minus(p.minus(0.5).over(β)));
  return objective(
    "sppo",
    ["w", "l"],
    (g) => {
      const [won, lost] = probabilities[loss_type](g);
      return distance(logRatio(g, g.y.w), won)
        .plus(distance(logRatio(g, g.y.l), lost))
        .times(0.5);
    },
    {
      source: "Wu et al. 2024, arXiv 2405.00675; the authors' sppo/trainer.py, sppo_loss",
      metrics: (g) => pairMetrics(g, β),
    },
  );
}
