// Losses of completions that were sampled from the policy, and of a reward model's scores.

import { nashMd, reward, xpo } from "../../objectives/index.ts";
import { fixed, param, unused } from "../keys.ts";
import { rowsOf, scored } from "./rows.ts";
import type { Row } from "../row.ts";

const ofTheBatch = unused("data of the examples, recorded among the inputs as well");
const none = {
  chosen_logps: null,
  rejected_logps: null,
  ref_chosen_logps: null,
  ref_rejected_logps: null,
};

/** TRL, trl/experimental/xpo/xpo_trainer.py. */
const xpoRow = (loss_type: "sigmoid" | "ipo"): Row => ({
  names: [`xpo/${loss_type}`],
  keys: {
    loss_type: fixed(loss_type),
    beta: param("beta", 0.1),
    alpha: param("alpha", 1e-5),
    chosen_mask: ofTheBatch,
  },
  objective: () => xpo({ loss_type }),
  layout: rowsOf(["own", "ref"], ["chosen_mask"]),
  quantities: () => {
    const { metrics } = xpo({ loss_type });
    return { ...none, dpo_losses: metrics["loss/dpo"]!, xpo_losses: metrics["loss/xpo"]! };
  },
});

/** TRL, trl/experimental/nash_md/nash_md_trainer.py. The second half of the rows is not used. */
const nash: Row = {
  names: ["nash-md"],
  keys: { beta: param("beta", 0.1), probability: ofTheBatch },
  objective: () => nashMd(),
  layout: rowsOf(["y", "unused"], ["probability"]),
  quantities: () => {
    const { loss, metrics } = nashMd();
    return {
      ...none,
      per_sequence_loss: loss,
      score: metrics["loss/score"]!,
      kl_div_log: metrics["objective/kl"]!,
      kl_div_loss: metrics["loss/kl"]!,
    };
  },
};

/** TRL, trl/trainer/reward_trainer.py. An example without a margin has one of 0. */
const bradleyTerry: Row = {
  names: [/^reward\/bradley-terry/],
  keys: {
    rewards: unused(
      "what the loss is differentiated with respect to; read as the scores of the responses",
    ),
    margin: ofTheBatch,
    center_rewards_coefficient: param("center_rewards_coefficient", 0),
  },
  objective: () => reward({ margin: true }),
  layout: scored,
};

export const samples: readonly Row[] = [xpoRow("sigmoid"), xpoRow("ipo"), nash, bradleyTerry];
