// The list of TRL's loss types under their own names, of the mixtures that papers named, and of the trainer's options as
// one objective.

import { named, param } from "../dsl/index.ts";
import { apoDown, apoZero, bcoPair, bcoPairOptions, ncaPair, sppoHard } from "./absolute.ts";
import { aot, aotOptions, aotUnpaired } from "./aot.ts";
import { lengthDesensitised } from "./combinators.ts";
import { dpo, dpoOptions, type DpoOptions } from "./dpo.ts";
import { entry, type BuiltIn } from "./entry.ts";
import {
  betaOptions,
  bradleyTerry,
  discopop,
  discopopOptions,
  exoOptions,
  exoPair,
  hinge,
  ipo,
  ipoOptions,
  robust,
  robustOptions,
  sigmoidNorm,
  type BetaOptions,
} from "./margins.ts";
import { mix } from "./mix.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";
import { sft } from "./sft.ts";
import { trlDpo } from "./trl.ts";
import { trlDpoOptions, type TrlDpoOptions } from "./trl-config.ts";

/** MPO: 0.8 sigmoid + 0.2 bco_pair + sft. Wang et al. 2024 (arXiv 2411.10442). */
export const mpo = (options: BetaOptions = {}): PairwiseObjective => {
  const { beta = 0.1 } = checkOptions("mpo", betaOptions, options);
  return named(
    "mpo",
    trlDpo({ loss_type: ["sigmoid", "bco_pair", "sft"], loss_weights: [0.8, 0.2, 1], beta }),
  );
};

/** Options of RPO. */
export interface RpoOptions extends BetaOptions {
  /** α, how much the likelihood of the chosen responses counts; 1. */
  readonly rpo_alpha?: number;
}

const rpoOptions: OptionKinds = { ...betaOptions, rpo_alpha: "number" };

/** RPO: sigmoid + α · sft. Pang et al. 2024 (arXiv 2404.19733), with the likelihood averaged over tokens as in TRL. */
export const rpo = (options: RpoOptions = {}): PairwiseObjective => {
  const { beta = 0.1, rpo_alpha = 1 } = checkOptions("rpo", rpoOptions, options);
  return named(
    "rpo",
    mix({ sigmoid: [bradleyTerry({ beta }), 1], sft: [sft(), param("rpo_alpha", rpo_alpha)] }),
  );
};

/** Options of LD-DPO. */
export interface LdDpoOptions extends DpoOptions {
  /** α, how much the tokens beyond the length of the shorter response count; 0.5. */
  readonly ld_alpha?: number;
}

const ldDpoOptions: OptionKinds = { ...dpoOptions, ld_alpha: { from: 0, to: 1 } };

/** LD-DPO: DPO with the tokens beyond the shorter response counted α times. Liu et al. 2024 (arXiv 2409.06411). */
export const ldDpo = (options: LdDpoOptions = {}): PairwiseObjective => {
  const { ld_alpha = 0.5, ...rest } = checkOptions("ldDpo", ldDpoOptions, options);
  return named("ld_dpo", lengthDesensitised({ ld_alpha })(dpo(rest)));
};

const summary = "TRL's DPOTrainer by its own options: a loss type under its modifiers";

export const trlEntries: Readonly<Record<string, BuiltIn>> = {
  trl_dpo: entry(
    "trl_dpo",
    trlDpoOptions,
    (options: TrlDpoOptions) => named("trl_dpo", trlDpo(options)),
    summary,
  ),
  hinge: entry("hinge", betaOptions, hinge, "max(0, 1 − βδ)"),
  ipo: entry("ipo", ipoOptions, ipo, "(δ − 1/(2β))², of scores per token or of sums"),
  exo_pair: entry(
    "exo_pair",
    exoOptions,
    exoPair,
    "KL divergence of the policy's preference from the smoothed label",
  ),
  nca_pair: entry(
    "nca_pair",
    betaOptions,
    ncaPair,
    "−log σ(βs_w) − ½ log σ(−βs_w) − ½ log σ(−βs_l)",
  ),
  robust: entry(
    "robust",
    robustOptions,
    robust,
    "DPO, corrected for a known share of wrong labels",
  ),
  bco_pair: entry("bco_pair", bcoPairOptions, bcoPair, "−log σ(βs_w) − log σ(−βs_l)"),
  sppo_hard: entry(
    "sppo_hard",
    betaOptions,
    sppoHard,
    "squared distance of the scores from ±1/(2β)",
  ),
  aot: entry(
    "aot",
    aotOptions,
    aot,
    "DPO of margins sorted along the batch, policy against reference",
  ),
  aot_unpaired: entry(
    "aot_unpaired",
    aotOptions,
    aotUnpaired,
    "DPO of log-ratios sorted along the batch, chosen against rejected",
  ),
  apo_zero: entry("apo_zero", betaOptions, apoZero, "1 − σ(βh_w) + σ(βh_l)"),
  apo_down: entry("apo_down", betaOptions, apoDown, "σ(βh_w) + 1 − σ(βΔ)"),
  discopop: entry(
    "discopop",
    discopopOptions,
    discopop,
    "logistic and exponential loss, blended by the margin",
  ),
  sigmoid_norm: entry("sigmoid_norm", betaOptions, sigmoidNorm, "DPO of log-ratios per token"),
  mpo: entry("mpo", betaOptions, mpo, "0.8 sigmoid + 0.2 bco_pair + sft"),
  rpo: entry("rpo", rpoOptions, rpo, "DPO and a share of the likelihood of y_w"),
  ld_dpo: entry(
    "ld_dpo",
    ldDpoOptions,
    ldDpo,
    "DPO with the tokens beyond the shorter response counted α times",
  ),
};
