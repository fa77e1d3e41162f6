// DPO that does not reward length: the margin is charged with the difference of the lengths.

import { logSigmoid, neg, objective, param } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { margin, pairMetrics, type PairwiseObjective } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names. */
export interface RDpoOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /** α, the charge for each token; 0.01. The paper chooses it for each data set. */
  readonly alpha?: number;
}

export const rDpoOptions: OptionKinds = { beta: "number", alpha: "number" };

/**
 * −log σ(βΔ + α (|y_w| − |y_l|))
 *
 * Park et al. 2024 (arXiv 2403.19159), the regularised objective, as Meng et al. 2024 (arXiv 2405.14734) print it in their
 * table of objectives. No code of the authors is public.
 */
export function rDpo(options: RDpoOptions = {}): PairwiseObjective {
  const { beta = 0.1, alpha = 0.01 } = checkOptions("r-dpo", rDpoOptions, options);
  const [β, α] = [param("beta", beta), param("alpha", alpha)];
  return objective(
    "r-dpo",
    ["w", "l"],
    (g) => neg(logSigmoid(β.times(margin(g)).plus(α.times(g.y.w.count.minus(g.y.l.count))))),
    {
      source: "Park et al. 2024, arXiv 2403.19159, length-regularised DPO",
      metrics: (g) => pairMetrics(g, β),
    },
  );
}
