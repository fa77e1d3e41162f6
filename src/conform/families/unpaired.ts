// Losses of single completions with a yes or no each, and of odds ratios, which read the prompt as well.

import { bco, kto, orpo, type OrpoOptions } from "../../objectives/index.ts";
import { fixed, nested, param, unused } from "../keys.ts";
import { rowsOf, unpaired } from "./rows.ts";
import type { Quantities } from "../quantities.ts";
import type { Row } from "../row.ts";

const recordedAsInput = unused("data of the rows, recorded among the inputs as well");
/** Recorded by kind of row, desirable ones first, which is no order of the batch. */
const byKind = {
  chosen_logps: null,
  rejected_logps: null,
  ref_chosen_logps: null,
  ref_rejected_logps: null,
  chosen_rewards: null,
  rejected_rewards: null,
};

/** TRL, trl/trainer/kto_trainer.py. */
const ktoRow = (names: Row["names"], loss_type: "kto" | "apo_zero_unpaired"): Row => ({
  names,
  keys: {
    loss_type: fixed(loss_type),
    beta: param("beta", 0.1),
    desirable_weight: param("desirable_weight", 1),
    undesirable_weight: param("undesirable_weight", 1),
    labels: recordedAsInput,
  },
  objective: () => kto({ loss_type }),
  layout: unpaired,
  quantities: () => byKind,
});

/** linkedin/Liger-Kernel, chunked_loss/kto_loss.py: without weights, the divergence given. */
const liger: Row = {
  names: ["liger/kto"],
  keys: {
    cls: fixed("kto"),
    kwargs: nested({ beta: param("beta", 0.1) }),
    labels: recordedAsInput,
    kl: param("kl", 0),
  },
  objective: () => kto({ divergence: "given" }),
  layout: unpaired,
  quantities: () => byKind,
};

const unweighted = unused("a bound of weights that this form of the loss has not");

/** TRL, trl/experimental/bco/bco_trainer.py. */
const bcoRow = (names: Row["names"], density_ratio: boolean): Row => ({
  names,
  keys: {
    beta: param("beta", 0.1),
    labels: recordedAsInput,
    prior_batches: unused("what the running mean has seen before; read as the state of the step"),
    udm: unused("probabilities of the undesirable rows; read as data of the examples"),
    min_density_ratio: density_ratio ? param("min_density_ratio", 0.5) : unweighted,
    max_density_ratio: density_ratio ? param("max_density_ratio", 10) : unweighted,
  },
  objective: () => bco({ density_ratio }),
  layout: unpaired,
  quantities: () => byKind,
});

const likelihoodOf = (likelihood: NonNullable<OrpoOptions["likelihood"]>) => ({
  objective: () => orpo({ likelihood }),
  layout: rowsOf(["w", "l"]),
  quantities: (): Quantities => {
    const { metrics } = orpo();
    return { chosen_logps: metrics["logps/chosen"]!, rejected_logps: metrics["logps/rejected"]! };
  },
});

/** TRL, trl/experimental/orpo/orpo_trainer.py; Liger, chunked_loss/orpo_loss.py; LLaMA-Factory, train/dpo/trainer.py. */
const orpoRows: readonly Row[] = [
  {
    names: [/^(?:trl-1\.16\/)?orpo/],
    keys: { beta: param("beta", 0.1) },
    ...likelihoodOf("prompt"),
  },
  {
    names: ["liger/orpo"],
    keys: {
      cls: fixed("orpo"),
      kwargs: nested({ beta: param("beta", 0.1), compute_nll_loss: fixed(true) }),
    },
    ...likelihoodOf("completion"),
  },
  {
    names: ["llamafactory/orpo"],
    keys: { fn: fixed("odds_ratio_loss"), beta: param("beta", 0.1) },
    ...likelihoodOf("sequence"),
  },
];

export const unpairedLosses: readonly Row[] = [
  ktoRow([/^(?:trl-1\.16\/)?kto\/apo_zero_unpaired/], "apo_zero_unpaired"),
  ktoRow([/^(?:trl-1\.16\/)?kto/], "kto"),
  liger,
  bcoRow([/^bco \+ density-ratio/], true),
  bcoRow([/^bco/], false),
  ...orpoRows,
];
