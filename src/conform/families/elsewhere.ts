// The losses of TRL's DPOTrainer in Liger, and IPO in the repository that DPO came from.

import { ipo, trlDpo, type LossType } from "../../objectives/index.ts";
import { fixed, nested, param, unused, type Keys } from "../keys.ts";
import type { Row } from "../row.ts";

/** ε, where a loss reads it. */
const epsilon = (otherwise: number): Keys => ({
  label_smoothing: param("label_smoothing", otherwise),
});

/** linkedin/Liger-Kernel, chunked_loss/dpo_loss.py. */
const liger = (type: string, keys: Keys): Row => ({
  names: [`liger/dpo/${type}`],
  keys: {
    cls: fixed("dpo"),
    kwargs: nested({
      loss_type: fixed(type),
      beta: param("beta", 0.1),
      compute_nll_loss: fixed(false),
      label_smoothing: unused("the loss does not read it"),
      discopop_tau: unused("the loss does not read it"),
      ...keys,
    }),
  },
  objective: () => trlDpo({ loss_type: type as LossType }),
});

/** eric-mitchell/direct-preference-optimization, trainers.py, preference_loss with ipo: of sums, not of averages. */
const original: Row = {
  names: ["dpo/original IPO (sum, not averaged)"],
  keys: {
    ipo: fixed(true),
    beta: param("beta", 0.1),
    label_smoothing: unused("IPO does not read it"),
    reference_free: fixed(false),
  },
  objective: () => ipo({ length_normalised: false }),
};

export const lossesElsewhere: readonly Row[] = [
  ...["hinge", "nca_pair", "bco_pair", "sppo_hard", "apo_zero", "apo_down"].map((type) =>
    liger(type, {}),
  ),
  liger("discopop", { discopop_tau: param("discopop_tau", 0.05) }),
  liger("robust", epsilon(0)),
  liger("exo_pair", epsilon(0.001)),
  original,
];
