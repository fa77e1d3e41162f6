// Losses as the authors of a paper published them, in repositories of their own.

import { calDpo, nemo, sppo, tdpo1, tdpo2, tisDpo } from "../../objectives/index.ts";
import { fixed, flag, param, unused } from "../keys.ts";
import type { Row } from "../row.ts";
import { withExamples, withRows, withTokens } from "./given.ts";

const asInput = unused("recorded among the inputs, from where it is read");

/** Vance0124/Token-level-Direct-Preference-Optimization, trainers.py, tdpo_loss. */
const tdpo: readonly Row[] = [
  {
    names: ["tdpo1"],
    keys: {
      beta: param("beta", 0.1),
      alpha: unused("TDPO₁ has no α"),
      if_tdpo2: fixed(false),
    },
    objective: () => tdpo1(),
  },
  {
    names: ["tdpo2"],
    keys: { beta: param("beta", 0.1), alpha: param("alpha", 0.5), if_tdpo2: fixed(true) },
    objective: () => tdpo2(),
  },
];

/** exlaw/TIS-DPO, trainers.py, tisdpo_loss. */
const tis: readonly Row[] = [false, true].map((token_level): Row => ({
  names: [`tis-dpo/token_level=${token_level ? "True" : "False"}`],
  keys: {
    beta: param("beta", 0.1),
    alpha: token_level
      ? param("alpha", 0.5)
      : unused("α weighs divergences, which only the token level has"),
    token_level: fixed(token_level),
  },
  objective: () => tisDpo({ token_level }),
  layout: withTokens("token_weights", "weight"),
}));

/** tengxiao1/Cal-DPO, scripts/dpo_trainer.py, dpo_loss. */
const cal: Row = {
  names: ["cal-dpo"],
  keys: { loss_type: fixed("Cal-DPO"), beta: param("beta", 0.1) },
  objective: () => calDpo(),
};

/** uclaml/SPPO, sppo/trainer.py, sppo_loss. */
const selfPlay: readonly Row[] = (["sppo", "sppo_single"] as const).map((loss_type): Row => ({
  names: [`sppo/${loss_type}`],
  keys: {
    loss_type: fixed(loss_type),
    beta: param("beta", 0.001),
    chosen_probs: asInput,
    chosen_probs_win: asInput,
    chosen_probs_lose: asInput,
  },
  objective: () => sppo({ loss_type }),
  layout:
    loss_type === "sppo"
      ? withExamples("chosen_probs_win", "chosen_probs_lose")
      : withExamples("chosen_probs"),
}));

/** NVIDIA/NeMo-Aligner, megatron_gpt_dpo_model.py, loss_func and sft_loss_func. */
const losses = ["dpo", "ipo", "rpo_bwd_kl", "rpo_fwd_kl", "rpo_sq"] as const;
const aligner: readonly Row[] = losses.map((preference_loss): Row => ({
  names: [new RegExp(`^nemo/${preference_loss}(?: .*)?$`)],
  keys: {
    loss_type: fixed(preference_loss),
    beta: param("beta", 0.2),
    gt_rewards: asInput,
    gt_reward_scale: preference_loss.startsWith("rpo")
      ? param("gt_reward_scale", 1)
      : unused("known rewards enter the RPO losses only"),
    preference_loss_weight: param("preference_loss_weight", 1),
    sft_loss_weight: param("sft_loss_weight", 0),
    average_log_probs: flag("preference_average_log_probs"),
    preference_average_log_probs: flag("preference_average_log_probs"),
    sft_average_log_probs: flag("sft_average_log_probs"),
  },
  objective: (options) => nemo({ preference_loss, ...options }),
  ...(preference_loss.startsWith("rpo")
    ? { layout: withRows("gt_rewards", "chosen_reward", "rejected_reward") }
    : {}),
}));

export const authors: readonly Row[] = [...tdpo, ...tis, cal, ...selfPlay, ...aligner];
