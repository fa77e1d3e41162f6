// The options of TRL's GRPOConfig that say which loss is trained, by their own names and with TRL's defaults.

import { positive, type NumberRange, type OptionKinds } from "./options.ts";

/** Losses of TRL's GRPOTrainer. */
export type GrpoLoss = "grpo" | "bnpo" | "dr_grpo" | "dapo" | "luspo" | "cispo" | "sapo" | "vespo";

/** The loss, where its inputs come from, and defaults of the run-time parameters of the same names. */
export interface GrpoOptions {
  /** "dapo". */
  readonly loss_type?: GrpoLoss;
  /** Whether ratios are of tokens, or of whole completions as in GSPO: "token" or "sequence"; "token". */
  readonly importance_sampling_level?: "token" | "sequence";
  /** The policy that sampled: the model "old", or the policy itself as it is, stopped; "given" or "policy"; "given". */
  readonly old?: "given" | "policy";
  /** β, the weight of the divergence from the reference; 0, which reads no reference. */
  readonly beta?: number;
  /** Whether the divergence is multiplied by the ratio; true. Read where beta is not 0. */
  readonly use_bias_correction_kl?: boolean;
  /** ε, how far a ratio counts below 1; 0.2. */
  readonly epsilon?: number;
  /** How far a ratio counts above 1, and the largest ratio of cispo; epsilon. */
  readonly epsilon_high?: number;
  /** What dr_grpo divides by; 512. */
  readonly max_completion_length?: number;
  /**
   * What dapo, cispo and vespo divide by: the tokens of this batch, or the run-time parameter num_items_in_batch, the tokens
   * of all batches of a step: "batch" or "given"; "batch".
   */
  readonly normaliser?: "batch" | "given";
  /** 1. */
  readonly sapo_temperature_pos?: number;
  /** 1.05. */
  readonly sapo_temperature_neg?: number;
  /** 2. */
  readonly vespo_k_pos?: number;
  /** 3. */
  readonly vespo_lambda_pos?: number;
  /** 3. */
  readonly vespo_k_neg?: number;
  /** 2. */
  readonly vespo_lambda_neg?: number;
}

const notNegative: NumberRange = { from: 0 };

export const grpoOptions: OptionKinds = {
  loss_type: ["grpo", "bnpo", "dr_grpo", "dapo", "luspo", "cispo", "sapo", "vespo"],
  importance_sampling_level: ["token", "sequence"],
  old: ["given", "policy"],
  beta: notNegative,
  use_bias_correction_kl: "boolean",
  epsilon: notNegative,
  epsilon_high: notNegative,
  max_completion_length: positive,
  normaliser: ["batch", "given"],
  sapo_temperature_pos: positive,
  sapo_temperature_neg: positive,
  vespo_k_pos: "number",
  vespo_lambda_pos: positive,
  vespo_k_neg: "number",
  vespo_lambda_neg: positive,
};

const clipped = ["grpo", "bnpo", "dr_grpo", "dapo", "luspo"] as const;
/** The losses that read an option. */
export const grpoReaders: Readonly<Record<string, readonly string[]>> = {
  epsilon: [...clipped, "cispo"],
  epsilon_high: [...clipped, "cispo"],
  max_completion_length: ["dr_grpo"],
  normaliser: ["dapo", "cispo", "vespo"],
  sapo_temperature_pos: ["sapo"],
  sapo_temperature_neg: ["sapo"],
  vespo_k_pos: ["vespo"],
  vespo_lambda_pos: ["vespo"],
  vespo_k_neg: ["vespo"],
  vespo_lambda_neg: ["vespo"],
};
