// SakanaAI/DiscoPOP, src/alignment/gpo.py: the losses by the names of its methods.

import {
  aqfl,
  aql,
  cell,
  dbaql,
  dpo,
  hinge,
  ipo,
  ktoPair,
  lrml,
  padll,
  pfl,
  shiftedBcoPair,
} from "../../objectives/index.ts";
import type { Objective } from "../../dsl/index.ts";
import { fixed, param, type Keys } from "../keys.ts";
import type { Row } from "../row.ts";

const row = (name: string, make: () => Objective, more: Keys = {}): Row => ({
  names: [`discopop/${name}`],
  keys: { fn: fixed(name), beta: param("beta", 0.05), ...more },
  objective: make,
});

export const discopop: readonly Row[] = [
  row("dynamic_blended_adaptive_quantile_loss", dbaql),
  row("adaptive_quantile_loss", aql),
  row("adaptive_quantile_feedback_loss", aqfl),
  row("performance_adaptive_decay_logistic_loss", padll),
  row("combined_exp_logistic_loss", cell),
  row("log_ratio_modulated_loss", lrml),
  row("policy_focused_loss", pfl),
  row("kto_pair_loss", ktoPair),
  row("sigmoid_loss", dpo, { label_smoothing: param("label_smoothing", 0) }),
  row("hinge_loss", hinge),
  row("ipo_loss", () => ipo({ length_normalised: false })),
  row("bco_pair_loss", shiftedBcoPair),
];
