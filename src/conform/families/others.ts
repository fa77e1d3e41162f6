// Other repositories' losses that are −log σ of a margin: the same objective under other names and hyper-parameters.

import { referenceFree } from "../../dsl/index.ts";
import { dpo } from "../../objectives/index.ts";
import { fixed, flag, nested, param, unused } from "../keys.ts";
import { rewardsWithReference } from "../quantities.ts";
import type { Row } from "../row.ts";
import { withLikelihood } from "./mixed.ts";

/** eric-mitchell/direct-preference-optimization, trainers.py, preference_loss. */
const original: Row = {
  names: ["dpo/original", "dpo/original cDPO", "dpo/original reference_free"],
  keys: {
    beta: param("beta", 0.1),
    label_smoothing: param("label_smoothing", 0),
    reference_free: flag("reference_free"),
    ipo: fixed(false),
  },
  objective: ({ reference_free }) => (reference_free === true ? referenceFree(dpo()) : dpo()),
  quantities: ({ reference_free }) => (reference_free === true ? rewardsWithReference : {}),
};

/** ContextualAI/HALOs, train/trainers.py. */
const halos: readonly Row[] = [
  {
    names: ["halos/DPOTrainer"],
    keys: {
      cls: fixed("DPOTrainer"),
      loss: nested({ beta: param("beta", 0.1) }),
      humanline: fixed(false),
    },
    objective: () => dpo(),
  },
  {
    names: ["halos/CDPOTrainer"],
    keys: {
      cls: fixed("CDPOTrainer"),
      loss: nested({ beta: param("beta", 0.1), epsilon: param("label_smoothing", 0.2) }),
      humanline: fixed(false),
    },
    objective: () => dpo(),
  },
];

/** linkedin/Liger-Kernel, chunked_loss. */
const liger: readonly Row[] = [
  {
    names: ["liger/dpo/sigmoid", "liger/dpo/sigmoid + nll"],
    keys: {
      cls: fixed("dpo"),
      kwargs: nested({
        loss_type: fixed("sigmoid"),
        beta: param("beta", 0.1),
        compute_nll_loss: flag("likelihood"),
        alpha: fixed(1),
      }),
    },
    objective: ({ likelihood }) =>
      likelihood === true ? withLikelihood(dpo(), { likelihood: "alpha" }) : dpo(),
  },
];

/** NVIDIA/NeMo-Aligner, megatron_gpt_dpo_model.py, loss_func. */
const nemo: Row = {
  names: ["nemo/dpo"],
  keys: {
    loss_type: fixed("dpo"),
    beta: param("beta", 0.2),
    gt_rewards: unused("ground-truth rewards enter the RPO losses only"),
    gt_reward_scale: unused("ground-truth rewards enter the RPO losses only"),
  },
  objective: () => dpo(),
};

/** SakanaAI/DiscoPOP, src/alignment/gpo.py. */
const discopop: Row = {
  names: ["discopop/sigmoid_loss"],
  keys: { fn: fixed("sigmoid_loss"), beta: param("beta", 0.05) },
  objective: () => dpo(),
};

export const others: readonly Row[] = [
  original,
  ...halos,
  ...liger,
  nemo,
  discopop,
];
