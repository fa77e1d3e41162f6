// Losses of the margin δ = s_w − s_l, the difference of the two scores: variations of DPO in what they make of it.

import {
  constant,
  exp,
  log,
  log1p,
  logSigmoid,
  named,
  neg,
  param,
  relu,
  sigmoid,
  square,
} from "../dsl/index.ts";
import { lengthNormalised } from "./combinators.ts";
import {
  checkOptions,
  positive,
  smoothing,
  type NumberRange,
  type OptionKinds,
} from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";
import { linked } from "./scores.ts";

/** Default of the run-time parameter of the same name. */
export interface BetaOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
}
export const betaOptions: OptionKinds = { beta: positive };

/** −log σ(βδ): DPO without label smoothing, TRL's loss_type "sigmoid". Rafailov et al. 2023 (arXiv 2305.18290), equation 7. */
export function bradleyTerry(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("bradleyTerry", betaOptions, options);
  const source = "Rafailov et al. 2023, arXiv 2305.18290, equation 7";
  return linked("sigmoid", source, beta, ({ difference: δ }, β) => neg(logSigmoid(β.times(δ))));
}

/** −log σ(β(s_w/|y_w| − s_l/|y_l|)): TRL's "sigmoid_norm". Lambert et al. 2024 (arXiv 2411.15124), length-normalised DPO. */
export function sigmoidNorm(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("sigmoidNorm", betaOptions, options);
  const source = "Lambert et al. 2024, arXiv 2411.15124, length-normalised DPO";
  return named("sigmoid_norm", {
    ...lengthNormalised(bradleyTerry({ beta })),
    source,
  });
}

/** max(0, 1 − βδ). Zhao et al. 2023 (arXiv 2305.10425) in the form of Liu et al. 2023 (arXiv 2309.06657), hinge-norm. */
export function hinge(options: BetaOptions = {}): PairwiseObjective {
  const { beta = 0.1 } = checkOptions("hinge", betaOptions, options);
  const source =
    "Zhao et al. 2023, arXiv 2305.10425; Liu et al. 2023, arXiv 2309.06657, hinge-norm";
  return linked("hinge", source, beta, ({ difference: δ }, β) =>
    relu(constant(1).minus(β.times(δ))),
  );
}

/** Options of IPO. */
export interface IpoOptions extends BetaOptions {
  /** Whether scores are averaged over tokens, as TRL does, or summed, as in the paper; true. */
  readonly length_normalised?: boolean;
}
export const ipoOptions: OptionKinds = { ...betaOptions, length_normalised: "boolean" };

/** (δ − 1/(2β))². Azar et al. 2023 (arXiv 2310.12036), equation 17, with β for τ. */
export function ipo(options: IpoOptions = {}): PairwiseObjective {
  const { beta = 0.1, length_normalised = true } = checkOptions("ipo", ipoOptions, options);
  const source = "Azar et al. 2023, arXiv 2310.12036, equation 17";
  const ofSums = linked("ipo", source, beta, ({ difference: δ }, β) =>
    square(δ.minus(constant(0.5).over(β))),
  );
  return length_normalised ? named("ipo", lengthNormalised(ofSums)) : ofSums;
}

/** Options of the losses that correct for wrong labels. */
export interface NoisyOptions extends BetaOptions {
  /** ε, the probability that a preference label is wrong; 0 for robust, 0.001 for exo_pair. */
  readonly label_smoothing?: number;
}
export const robustOptions: OptionKinds = { ...betaOptions, label_smoothing: smoothing };

/** [−(1 − ε) log σ(βδ) + ε log σ(−βδ)] / (1 − 2ε). Chowdhury et al. 2024 (arXiv 2403.00409). */
export function robust(options: NoisyOptions = {}): PairwiseObjective {
  const { beta = 0.1, label_smoothing = 0 } = checkOptions("robust", robustOptions, options);
  const ε = param("label_smoothing", label_smoothing, smoothing);
  const source = "Chowdhury et al. 2024, arXiv 2403.00409";
  return linked("robust", source, beta, ({ difference: δ }, β) => {
    const right = constant(1)
      .minus(ε)
      .times(logSigmoid(β.times(δ)));
    const wrong = ε.times(logSigmoid(neg(β.times(δ))));
    return wrong.minus(right).over(constant(1).minus(ε.times(2)));
  });
}

/** ε may not be 0: the loss has log ε. */
const positiveSmoothing: NumberRange = { above: 0, below: 0.5 };
export const exoOptions: OptionKinds = { ...betaOptions, label_smoothing: positiveSmoothing };

/** KL(σ(±βδ) ‖ (1 − ε, ε)) = Σ_± σ(±βδ) (log σ(±βδ) − log p_±). Ji et al. 2024 (arXiv 2402.00856), equation 16. */
export function exoPair(options: NoisyOptions = {}): PairwiseObjective {
  const { beta = 0.1, label_smoothing = 0.001 } = checkOptions("exoPair", exoOptions, options);
  const ε = param("label_smoothing", label_smoothing, positiveSmoothing);
  const source = "Ji et al. 2024, arXiv 2402.00856, equation 16";
  return linked("exo_pair", source, beta, ({ difference: δ }, β) => {
    const x = β.times(δ);
    const right = sigmoid(x).times(logSigmoid(x).minus(log1p(neg(ε))));
    return right.plus(sigmoid(neg(x)).times(logSigmoid(neg(x)).minus(log(ε))));
  });
}

/** Options of DiscoPOP. */
export interface DiscopopOptions extends BetaOptions {
  /** τ, the temperature of the blend; 0.05. */
  readonly discopop_tau?: number;
}
export const discopopOptions: OptionKinds = { ...betaOptions, discopop_tau: positive };

/**
 * (1 − μ)(−log σ(x)) + μ e⁻ˣ with x = βδ and μ = σ(x/τ): the log-ratio modulated loss of Lu et al. 2024 (arXiv
 * 2406.08414). μ e⁻ˣ is written e^{log μ − x}, because e⁻ˣ is infinite in single precision where μ is 0.
 */
export function discopop(options: DiscopopOptions = {}): PairwiseObjective {
  const { beta = 0.1, discopop_tau = 0.05 } = checkOptions("discopop", discopopOptions, options);
  const τ = param("discopop_tau", discopop_tau, positive);
  const source = "Lu et al. 2024, arXiv 2406.08414, the log-ratio modulated loss";
  return linked("discopop", source, beta, ({ difference: δ }, β) => {
    const x = β.times(δ);
    const logistic = sigmoid(neg(x.over(τ))).times(logSigmoid(x));
    return exp(logSigmoid(x.over(τ)).minus(x)).minus(logistic);
  });
}
