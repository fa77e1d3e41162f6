// The losses of TRL's DPOTrainer as they were up to release 0.28, in Liger, and in the repository that DPO came from.

import {
  param as runtime,
  type Expr,
  type Model,
  type PerExample,
  type Response,
} from "../../dsl/index.ts";
import {
  alphaDivergence,
  dpo,
  ipo,
  jsDivergence,
  trlDpo,
  withDivergence,
  type Divergence,
  type LossType,
  type Pair,
  type PairwiseObjective,
} from "../../objectives/index.ts";
import { choice, fixed, nested, param, unused, type Keys } from "../keys.ts";
import { quantitiesOf, type Quantities } from "../quantities.ts";
import type { Chosen, Row } from "../row.ts";
import { epsilon } from "./losses.ts";

/** Up to 0.28, log-probabilities and rewards of IPO are averages over tokens, also where they are reported. */
const averaged: Quantities = quantitiesOf(({ policy, ref, y }) => {
  const average = <R extends Pair>(m: Model, of: Response<R>): Expr<PerExample> =>
    m.logps(of).over(of.count);
  const reward = <R extends Pair>(of: Response<R>): Expr<PerExample> =>
    runtime("beta").times(average(policy, of).minus(average(ref, of)));
  return {
    chosen_logps: average(policy, y.w),
    rejected_logps: average(policy, y.l),
    ref_chosen_logps: average(ref, y.w),
    ref_rejected_logps: average(ref, y.l),
    chosen_rewards: reward(y.w),
    rejected_rewards: reward(y.l),
  };
});

/** TRL 0.28: e^x was kept below the largest number of its type, and the coefficient was 1 − α. */
const alpha028: Divergence = alphaDivergence({ meaning: "one-minus-alpha", largest: 709.78 });
const release028 = (
  types: string,
  keys: Keys,
  make: (options: Chosen) => PairwiseObjective,
): Row => ({
  names: [
    new RegExp(
      String.raw`^trl-0\.28/(?:${types})(?:_(?:label_smoothing|f_divergence_type|f_alpha_divergence_coef|discopop_tau)[a-z_\d.]+)*$`,
    ),
  ],
  keys: {
    loss_type: choice("loss_type", ...types.split("|")),
    beta: param("beta", 0.1),
    f_divergence_type: fixed("reverse_kl"),
    label_smoothing: unused("the loss does not read it"),
    ...keys,
  },
  objective: make,
});

const release: readonly Row[] = [
  {
    ...release028("ipo", {}, () => trlDpo({ loss_type: "ipo" })),
    quantities: () => averaged,
  },
  release028("hinge|nca_pair|sppo_hard|apo_zero|apo_down", {}, ({ loss_type }) =>
    trlDpo({ loss_type: loss_type as LossType }),
  ),
  release028("aot|aot_unpaired", epsilon(0), ({ loss_type }) =>
    trlDpo({ loss_type: loss_type as LossType }),
  ),
  release028("robust", epsilon(0), () => trlDpo({ loss_type: "robust" })),
  release028("exo_pair", epsilon(0.001), () => trlDpo({ loss_type: "exo_pair" })),
  release028("discopop", { discopop_tau: param("discopop_tau", 0.05) }, () =>
    trlDpo({ loss_type: "discopop" }),
  ),
  {
    ...release028("sigmoid", {}, () => dpo()),
    names: [/^trl-0\.28\/sigmoid_f_divergence_typejs_divergence$/],
    keys: {
      loss_type: fixed("sigmoid"),
      beta: param("beta", 0.1),
      f_divergence_type: fixed("js_divergence"),
      ...epsilon(0),
    },
    objective: () => withDivergence(jsDivergence)(dpo()),
  },
  {
    names: [/^trl-0\.28\/sigmoid_f_divergence_typealpha_divergence_f_alpha_divergence_coef[\d.]+$/],
    keys: {
      loss_type: fixed("sigmoid"),
      beta: param("beta", 0.1),
      f_divergence_type: fixed("alpha_divergence"),
      f_alpha_divergence_coef: param("f_alpha_divergence_coef", 1),
      ...epsilon(0),
    },
    objective: () => withDivergence(alpha028)(dpo()),
  },
];

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
  ...release,
  ...["hinge", "nca_pair", "bco_pair", "sppo_hard", "apo_zero", "apo_down"].map((type) =>
    liger(type, {}),
  ),
  liger("discopop", { discopop_tau: param("discopop_tau", 0.05) }),
  liger("robust", epsilon(0)),
  liger("exo_pair", epsilon(0.001)),
  original,
];
