// TRL's DPOTrainer as it is since its rewrite in 2026, and the last release before it.

import { referenceFree } from "../../dsl/index.ts";
import { dpo, sft, wpo } from "../../objectives/index.ts";
import { choice, fixed, flag, param, params, unused, type Keys } from "../keys.ts";
import { rewardsWithReference, scores } from "../quantities.ts";
import { pairWeights } from "./weights.ts";
import type { Row } from "../row.ts";
import { withLikelihood } from "./mixed.ts";

const ignoresSmoothing = unused(
  "since its rewrite TRL reads label_smoothing only in the losses that are named after it",
);

/** Options of DPOConfig that change nothing at these values. */
const neutral: Keys = {
  f_divergence_type: fixed("reverse_kl"),
  f_alpha_divergence_coef: unused("only an α-divergence has one"),
  discopop_tau: unused("only discopop has one"),
  ld_alpha: fixed(null),
};

const head: readonly Row[] = [
  {
    names: ["dpo/sigmoid", "dpo/sigmoid+use_weighting"],
    keys: {
      ...neutral,
      loss_type: fixed("sigmoid"),
      use_weighting: flag("use_weighting"),
      beta: param("beta", 0.1),
      label_smoothing: ignoresSmoothing,
    },
    objective: ({ use_weighting }) => (use_weighting === true ? wpo() : dpo()),
    quantities: () => ({ ...scores, ...pairWeights("sampled") }),
  },
  {
    names: ["dpo/sft"],
    keys: {
      ...neutral,
      loss_type: fixed("sft"),
      beta: unused("the likelihood has no β"),
      label_smoothing: ignoresSmoothing,
    },
    objective: () => sft(),
    // TRL averages the entropy over both responses, also where the loss reads one
    quantities: () => ({ ...scores, entropy: dpo().metrics["entropy"]! }),
  },
  {
    names: ["dpo/RPO(sigmoid+sft)"],
    keys: {
      ...neutral,
      loss_type: fixed(["sigmoid", "sft"]),
      loss_weights: params("sigmoid", "sft"),
      beta: param("beta", 0.1),
      label_smoothing: ignoresSmoothing,
    },
    objective: () => withLikelihood(dpo(), { preference: "sigmoid", likelihood: "sft" }),
    quantities: () => scores,
  },
];

const release028: readonly Row[] = [
  {
    names: [
      /^trl-0\.28\/sigmoid(?:_label_smoothing[\d.]+|_reference_free(?:True|False)|_rpo_alpha[\d.]+)*$/,
    ],
    keys: {
      loss_type: fixed("sigmoid"),
      beta: param("beta", 0.1),
      label_smoothing: param("label_smoothing", 0),
      reference_free: flag("reference_free"),
      rpo_alpha: param("rpo_alpha"),
    },
    objective: ({ reference_free }, given) => {
      const preference = reference_free === true ? referenceFree(dpo()) : dpo();
      return given.has("rpo_alpha")
        ? withLikelihood(preference, { likelihood: "rpo_alpha" })
        : preference;
    },
    quantities: ({ reference_free }) => (reference_free === true ? rewardsWithReference : {}),
  },
  {
    names: [/^trl-0\.28\/.* \(off-by-one weights\)$/],
    keys: {
      loss_type: choice("loss_type", "sigmoid"),
      use_weighting: flag("use_weighting"),
      beta: param("beta", 0.1),
      label_smoothing: param("label_smoothing", 0),
    },
    objective: () => wpo(),
    defect: "TRL 0.14 to 0.28 weighted each pair by probabilities shifted by one token",
  },
];

export const trl: readonly Row[] = [...head, ...release028];
