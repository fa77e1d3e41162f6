// Other repositories' losses that are −log σ of a margin: the same objective under other names and hyper-parameters.

import { referenceFree } from "../../dsl/index.ts";
import { dpo } from "../../objectives/index.ts";
import { fixed, flag, nested, param } from "../keys.ts";
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

/** linkedin/Liger-Kernel, chunked_loss. */
const liger: Row = {
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
};

export const others: readonly Row[] = [original, liger];
