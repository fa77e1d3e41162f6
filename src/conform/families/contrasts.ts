// Losses that contrast two responses without a reference model, as TRL, the authors of SimPO, LLaMA-Factory and Liger
// have them. Their recorded log-probabilities are averages per token where their scores are.

import { param as parameter } from "../../dsl/index.ts";
import {
  cpo,
  likelihood,
  scores,
  simpo,
  tpo,
  type CpoOptions,
  type PairwiseObjective,
  type SimpoOptions,
  type TpoOptions,
} from "../../objectives/index.ts";
import { fixed, nested, param, unused, type Keys } from "../keys.ts";
import { rowsOf } from "./rows.ts";
import { quantitiesOf, type Quantities } from "../quantities.ts";
import type { Row } from "../row.ts";

const logps = (perToken: boolean): Quantities =>
  quantitiesOf(({ policy, y }) => {
    const { chosen, rejected } = scores(policy, y, perToken);
    return { chosen_logps: chosen, rejected_logps: rejected };
  });

/** The loss of a pair before the likelihood of the chosen responses is added: so it is recorded. */
const withoutLikelihood = ({ define }: PairwiseObjective, weight: string): Quantities =>
  quantitiesOf((g) => ({
    per_pair_loss: define(g).loss.minus(parameter(weight).times(likelihood(g.policy, g.y.w))),
  }));

const smoothing = param("label_smoothing", 0);
const ignoresSmoothing = unused("this form of the loss has no label smoothing");
const noGamma = unused("only simpo has a margin");

function cpoRow(loss_type: NonNullable<CpoOptions["loss_type"]>, own: Keys): Row {
  const made = (given: ReadonlySet<string>): PairwiseObjective =>
    cpo({ loss_type, ...(given.has("alpha") ? { alpha: 0 } : {}) });
  const perToken = loss_type === "ipo" || loss_type === "simpo";
  return {
    names: [new RegExp(`^cpo/${loss_type}(_.*)?$`), new RegExp(`^trl-1\\.16/cpo ${loss_type}\\b`)],
    keys: {
      loss_type: fixed(loss_type),
      beta: param("beta", 0.1),
      cpo_alpha: param("cpo_alpha", 1),
      alpha: param("alpha"),
      ...own,
    },
    objective: (_, given) => made(given),
    quantities: (_, given) => ({
      ...logps(perToken),
      ...withoutLikelihood(made(given), "cpo_alpha"),
    }),
  };
}

/** TRL, trl/experimental/cpo/cpo_trainer.py. */
const cpoRows: readonly Row[] = [
  cpoRow("sigmoid", { label_smoothing: smoothing, simpo_gamma: noGamma }),
  cpoRow("hinge", { label_smoothing: ignoresSmoothing, simpo_gamma: noGamma }),
  cpoRow("ipo", { label_smoothing: ignoresSmoothing, simpo_gamma: noGamma }),
  cpoRow("simpo", { label_smoothing: smoothing, simpo_gamma: param("simpo_gamma", 0.5) }),
];

function simpoRow(names: Row["names"], loss_type: NonNullable<SimpoOptions["loss_type"]>): Row {
  const objective = simpo({ loss_type });
  return {
    names,
    keys: {
      loss_type: fixed(loss_type),
      beta: param("beta", 2),
      gamma_beta_ratio: param("gamma_beta_ratio", 0.25),
      label_smoothing: loss_type === "hinge" ? ignoresSmoothing : smoothing,
      sft_weight: param("sft_weight", 0),
    },
    objective: () => objective,
    quantities: () => ({ ...logps(true), ...withoutLikelihood(objective, "sft_weight") }),
  };
}

/** princeton-nlp/SimPO, scripts/simpo_trainer.py. */
const simpoRows: readonly Row[] = [
  simpoRow([/^simpo\/repo hinge/], "hinge"),
  simpoRow([/^simpo\/repo/], "sigmoid"),
];

/** hiyouga/LLaMA-Factory, train/dpo/trainer.py, simpo_loss: TRL's without the likelihood. */
const llamaFactory: Row = {
  names: ["llamafactory/simpo"],
  keys: {
    fn: fixed("simpo_loss"),
    beta: param("beta", 0.1),
    simpo_gamma: param("simpo_gamma", 0.5),
    cpo_alpha: param("cpo_alpha", 0),
  },
  objective: () => cpo({ loss_type: "simpo" }),
  quantities: () => logps(true),
};

/** linkedin/Liger-Kernel, chunked_loss/{cpo,simpo}_loss.py; both add the likelihood unless told otherwise. */
const liger = (cls: "cpo" | "simpo"): Row => ({
  names: [`liger/${cls}`],
  keys: {
    cls: fixed(cls),
    kwargs: nested({
      beta: param("beta", 0.1),
      label_smoothing: smoothing,
      alpha: param("cpo_alpha", 1),
      compute_nll_loss: fixed(true),
      ...(cls === "simpo" ? { gamma: param("simpo_gamma", 0.5) } : {}),
    }),
  },
  objective: () => cpo({ loss_type: cls === "cpo" ? "sigmoid" : "simpo" }),
  quantities: () => logps(cls === "simpo"),
});

function tpoRow(loss_type: NonNullable<TpoOptions["loss_type"]>, gold: boolean, own: Keys): Row {
  const perToken = loss_type === "ipo" || loss_type === "tpo-l";
  return {
    names: [
      new RegExp(
        gold ? `^tpo/${loss_type}(_.*)?$` : `^tpo/${loss_type}(_.*)?_tpo_alpha0(\\.0)?(_.*)?$`,
      ),
      new RegExp(`^trl-1\\.16/tpo ${loss_type}\\b${gold ? "" : ".*tpo_alpha0(?:\\.0)?(?![.\\d])"}`),
    ],
    keys: {
      loss_type: fixed(loss_type),
      beta: param("beta", 0.01),
      tpo_alpha: gold ? param("tpo_alpha", 1) : fixed(0),
      ...own,
    },
    objective: () => (gold ? tpo({ loss_type }) : tpo({ loss_type, tpo_alpha: 0 })),
    layout: rowsOf(gold ? ["w", "l", "gold"] : ["w", "l"]),
    // recorded before the likelihood is added
    quantities: () => ({
      ...logps(perToken),
      per_pair_loss: tpo({ loss_type, tpo_alpha: 0 }).loss,
    }),
  };
}

/** TRL, trl/experimental/tpo/tpo_trainer.py. Without a weight for their likelihood there are no gold responses. */
const tpoRows: readonly Row[] = [false, true].flatMap((gold) => [
  tpoRow("sigmoid", gold, { label_smoothing: smoothing, tpo_l_gamma: noGamma }),
  tpoRow("hinge", gold, { label_smoothing: ignoresSmoothing, tpo_l_gamma: noGamma }),
  tpoRow("ipo", gold, { label_smoothing: ignoresSmoothing, tpo_l_gamma: noGamma }),
  tpoRow("tpo-l", gold, { label_smoothing: smoothing, tpo_l_gamma: param("tpo_l_gamma", 0.5) }),
]);

export const contrasts: readonly Row[] = [
  ...cpoRows,
  ...simpoRows,
  llamaFactory,
  liger("cpo"),
  liger("simpo"),
  ...tpoRows,
];
