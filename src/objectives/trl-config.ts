// The options of TRL's DPOConfig that say which loss is trained, by their own names: which there are, what each accepts,
// and TRL's defaults.

import { positive, release, smoothing, type OptionKinds } from "./options.ts";
import { lossReleases, type LossType, type Meaning } from "./trl-releases.ts";

/** What holds the policy to the reference. */
export type DivergenceType = "reverse_kl" | "forward_kl" | "js_divergence" | "alpha_divergence";

/** Options of TRL's DPOConfig, and the release that they are of; null is Python's None, the same as leaving the option out. */
export interface TrlDpoOptions {
  /** The release of TRL whose meaning these options have, such as "1.9"; "1.16.0". */
  readonly as_of?: string | null;
  /** One loss or several, whose sum is trained; "sigmoid". */
  readonly loss_type?: LossType | readonly LossType[] | null;
  /** What each loss is multiplied by: defaults of the run-time parameters `loss_weights.TYPE`; 1 each. */
  readonly loss_weights?: readonly number[] | null;
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number | null;
  /** ε, the probability that a preference label is wrong; 0, and 0.001 for exo_pair, which needs one. */
  readonly label_smoothing?: number | null;
  /** Whether pairs are weighted as in WPO; false. */
  readonly use_weighting?: boolean | null;
  /** α of LD-DPO; none. */
  readonly ld_alpha?: number | null;
  /** "reverse_kl". */
  readonly f_divergence_type?: DivergenceType | null;
  /** α of the α-divergence; 0.5. Up to 0.28 it meant 1 − α; 1. */
  readonly f_alpha_divergence_coef?: number | null;
  /** τ of discopop; 0.05. */
  readonly discopop_tau?: number | null;
  /** Whether the reference is left out, an option up to 0.28; false. */
  readonly reference_free?: boolean | null;
  /** How much of the likelihood of the chosen responses is added, an option from 0.9 to 0.28; none. */
  readonly rpo_alpha?: number | null;
}

/** Options after the check: no null, and TRL's defaults where there are some. */
export interface Checked extends Defaults {
  readonly types: readonly LossType[];
  readonly weights: readonly number[] | null;
  /** The release as it was given. */
  readonly as_of: string;
  readonly meaning: Meaning;
  readonly f_alpha_divergence_coef: number;
}

/** The options that are one value each. */
export interface Defaults {
  readonly beta: number;
  readonly label_smoothing: number | undefined;
  readonly use_weighting: boolean;
  readonly ld_alpha: number | undefined;
  readonly f_divergence_type: DivergenceType;
  readonly f_alpha_divergence_coef: number | undefined;
  readonly discopop_tau: number;
  readonly reference_free: boolean;
  readonly rpo_alpha: number | undefined;
}
/** TRL's defaults. */
export const defaults: Defaults = {
  beta: 0.1,
  label_smoothing: undefined,
  use_weighting: false,
  ld_alpha: undefined,
  f_divergence_type: "reverse_kl",
  f_alpha_divergence_coef: undefined,
  discopop_tau: 0.05,
  reference_free: false,
  rpo_alpha: undefined,
};

export const trlDpoOptions: OptionKinds = {
  as_of: release,
  loss_type: { listOf: Object.keys(lossReleases) },
  loss_weights: { listOf: "number" },
  beta: positive,
  label_smoothing: smoothing,
  use_weighting: "boolean",
  ld_alpha: { from: 0, to: 1 },
  f_divergence_type: ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"],
  f_alpha_divergence_coef: "number",
  discopop_tau: positive,
  reference_free: "boolean",
  rpo_alpha: "number",
};
