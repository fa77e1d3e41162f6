// The preference losses of LLaMA-Factory with a reference model: one of TRL's, averaged with a binary classifier's, with a
// share of the likelihood of the chosen response.

import { constant, named, neg, objective, param } from "../dsl/index.ts";
import { requireObjective } from "../dsl/objective.ts";
import { lengthDesensitised } from "./combinators.ts";
import { averageLogps } from "./contrast.ts";
import { ktoPair } from "./discopop.ts";
import { dpo } from "./dpo.ts";
import { hinge, ipo } from "./margins.ts";
import { mix } from "./mix.ts";
import { checkApplies, checkOptions, smoothing, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";
import { shiftedBcoPair } from "./reward-shift.ts";

/** The loss, and defaults of the run-time parameters of the same names. */
export interface LlamaFactoryOptions {
  /** The loss that is mixed; "sigmoid". */
  readonly pref_loss?: "sigmoid" | "hinge" | "ipo" | "kto_pair";
  /** β, how strongly the policy is held to the reference, in the source `pref_beta`; 0.1. */
  readonly beta?: number;
  /** ε, the probability that a preference label is wrong; 0. Read with "sigmoid". */
  readonly label_smoothing?: number;
  /** λ, how much the classifier's loss counts beside the other; without it there is none. */
  readonly pref_bco_weight?: number;
  /** Weight of −log π(y_w)/|y_w|; without it there is none. */
  readonly pref_ftx?: number;
  /** How much the policy's tokens beyond the shorter response count; without it as much as all. */
  readonly ld_alpha?: number;
}

export const llamaFactoryOptions: OptionKinds = {
  pref_loss: ["sigmoid", "hinge", "ipo", "kto_pair"],
  beta: "number",
  label_smoothing: smoothing,
  pref_bco_weight: "number",
  pref_ftx: "number",
  ld_alpha: "number",
};

/** (L + λ L_bco)/(1 + λ), where L_bco has the average reward so far as its threshold; `beta` is shared. */
export function withBco(
  options: { readonly beta?: number; readonly pref_bco_weight?: number } = {},
): (inner: PairwiseObjective) => PairwiseObjective {
  const kinds: OptionKinds = { beta: "number", pref_bco_weight: "number" };
  const { beta = 0.1, pref_bco_weight = 1 } = checkOptions("withBco", kinds, options);
  const λ = param("pref_bco_weight", pref_bco_weight);
  const all = constant(1).plus(λ);
  return (inner) =>
    mix({
      [requireObjective("withBco", inner).name]: [inner, constant(1).over(all)],
      bco_pair: [shiftedBcoPair({ beta }), λ.over(all)],
    });
}

/** −log π(y_w)/|y_w|: averaged over the tokens of each response, and then over responses. */
const sequenceLikelihood: PairwiseObjective = objective(
  "ftx",
  ["w"],
  ({ policy, y }) => neg(averageLogps(policy, y.w)),
  { source: "LLaMA-Factory, src/llamafactory/train/dpo/trainer.py, pref_ftx" },
);

/**
 * (L + λ L_bco)/(1 + λ) + pref_ftx · −log π(y_w)/|y_w|
 *
 * With `ld_alpha`, tokens beyond the shorter response count less, in the policy and not in the reference. LLaMA-Factory,
 * src/llamafactory/train/dpo/trainer.py, `compute_preference_loss`, `bco_loss`; train/trainer_utils.py, `get_batch_logps`.
 */
export function llamaFactory(options: LlamaFactoryOptions = {}): PairwiseObjective {
  const given = checkOptions("llama_factory", llamaFactoryOptions, options);
  const {
    pref_loss = "sigmoid",
    beta = 0.1,
    label_smoothing = 0,
    pref_bco_weight,
    pref_ftx,
    ld_alpha,
  } = given;
  checkApplies("llama_factory", "pref_loss", pref_loss, given, { label_smoothing: ["sigmoid"] });
  const plain = {
    sigmoid: () => dpo({ beta, label_smoothing }),
    hinge: () => hinge({ beta }),
    ipo: () => ipo({ beta }),
    kto_pair: () => ktoPair({ beta }),
  }[pref_loss]();
  const preference =
    pref_bco_weight === undefined ? plain : withBco({ beta, pref_bco_weight })(plain);
  const length =
    ld_alpha === undefined
      ? preference
      : lengthDesensitised({ ld_alpha, reference: false })(preference);
  const ftx = param("pref_ftx", pref_ftx ?? 0);
  const all =
    pref_ftx === undefined
      ? length
      : mix({ [length.name]: [length, 1], ftx: [sequenceLikelihood, ftx] });
  return named("llama_factory", all);
}
