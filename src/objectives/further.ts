// The list of objectives that train without a reference model, without pairs, on samples of the policy, or a reward model.

import { alphapo, alphapoOptions, cpo, cpoOptions } from "./cpo.ts";
import { bco, bcoOptions } from "./bco.ts";
import { entry, type BuiltIn } from "./entry.ts";
import { gkd, gkdOptions } from "./gkd.ts";
import { grpo } from "./grpo.ts";
import { rloo, rlooOptions } from "./rloo.ts";
import { grpoOptions } from "./grpo-options.ts";
import { kto, ktoOptions } from "./kto.ts";
import { nashMd, nashMdOptions } from "./nash-md.ts";
import { orpo, orpoOptions } from "./orpo.ts";
import { rDpo, rDpoOptions } from "./r-dpo.ts";
import { reward, rewardOptions } from "./reward.ts";
import { simpo, simpoOptions } from "./simpo.ts";
import { slic, slicOptions } from "./slic.ts";
import { tpo, tpoOptions } from "./tpo.ts";
import { xpo, xpoOptions } from "./xpo.ts";

export const further: Readonly<Record<string, BuiltIn>> = {
  kto: entry(
    "kto",
    ktoOptions,
    kto,
    "1 − σ(±β(h − z₀)) of single completions, z₀ a reference point",
  ),
  bco: entry(
    "bco",
    bcoOptions,
    bco,
    "−log σ(±(r − δ)) of single completions, δ the average reward so far",
  ),
  orpo: entry(
    "orpo",
    orpoOptions,
    orpo,
    "likelihood of prompt and y_w, and −β log σ of the log odds ratio",
  ),
  cpo: entry(
    "cpo",
    cpoOptions,
    cpo,
    "DPO's loss of log π(y_w) − log π(y_l), and the likelihood of y_w",
  ),
  simpo: entry(
    "simpo",
    simpoOptions,
    simpo,
    "−log σ(βΔ − γ), Δ the difference of the average log-probabilities per token",
  ),
  alphapo: entry(
    "alphapo",
    alphapoOptions,
    alphapo,
    "SimPO with the reward (1 − p^−α)/α in place of log p",
  ),
  tpo: entry("tpo", tpoOptions, tpo, "CPO with the likelihood of a third, gold response"),
  xpo: entry(
    "xpo",
    xpoOptions,
    xpo,
    "DPO on samples of policy and reference, with a bonus for exploring",
  ),
  "nash-md": entry(
    "nash-md",
    nashMdOptions,
    nashMd,
    "policy gradient on the probability of being preferred, with a penalty on moving away",
  ),
  gkd: entry("gkd", gkdOptions, gkd, "divergence from a teacher at every token"),
  grpo: entry(
    "grpo",
    grpoOptions,
    grpo,
    "−min(rA, clip(r)A) of completions with given advantages, and a divergence from the reference",
  ),
  rloo: entry("rloo", rlooOptions, rloo, "the same of the ratio of whole completions"),
  reward: entry(
    "reward",
    rewardOptions,
    reward,
    "Bradley-Terry likelihood of a reward model's scores",
  ),
  slic: entry(
    "slic",
    slicOptions,
    slic,
    "hinge on log-probabilities, and the likelihood of a target",
  ),
  "r-dpo": entry(
    "r-dpo",
    rDpoOptions,
    rDpo,
    "DPO with the difference of the lengths added to the margin",
  ),
};
