// Direct preference optimisation, with the label smoothing of conservative DPO: the objective that the other
// pairwise ones are variations of.

import { called, constant, logSigmoid, neg, objective, param } from "../dsl/index.ts";
import { checkOptions, positive, smoothing, type OptionKinds } from "./options.ts";
import { pairMetrics, type PairwiseObjective } from "./pairwise.ts";
import { pairScores } from "./scores.ts";

/** Defaults of the run-time parameters of the same names. */
export interface DpoOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /** ε, the probability that a preference label is wrong; 0. */
  readonly label_smoothing?: number;
}

export const dpoOptions: OptionKinds = { beta: positive, label_smoothing: smoothing };

/**
 * −(1 − ε) log σ(βΔ) − ε log σ(−βΔ)
 *
 * Rafailov et al. 2023 (arXiv 2305.18290), equation 7; label smoothing: Mitchell 2023, "A note on DPO with
 * noisy preferences", as in the authors' trainers.py (`preference_loss`) and in TRL up to 0.28.
 */
export function dpo(options: DpoOptions = {}): PairwiseObjective {
  const { beta = 0.1, label_smoothing = 0 } = checkOptions("dpo", dpoOptions, options);
  const [β, ε] = [
    param("beta", beta, positive),
    param("label_smoothing", label_smoothing, smoothing),
  ];
  return objective(
    "dpo",
    ["w", "l"],
    (g) => {
      const x = called("x", β.times(pairScores(g).difference));
      return neg(constant(1).minus(ε).times(logSigmoid(x))).minus(ε.times(logSigmoid(neg(x))));
    },
    {
      source:
        "Rafailov et al. 2023, arXiv 2305.18290, equation 7; label smoothing: Mitchell 2023, a note on DPO with noisy preferences",
      metrics: (g) => pairMetrics(g, β),
    },
  );
}
