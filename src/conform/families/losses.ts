// The losses of TRL's DPOTrainer besides the logistic one, with its modifiers.

import { objective, type Expr, type Given, type PerExample } from "../../dsl/index.ts";
import type { Node } from "../../core/node.ts";
import {
  alphaDivergence,
  forwardKl,
  jsDivergence,
  lengthDesensitised,
  linked,
  reverseKl,
  trlDpo,
  withDivergence,
  withWeighting,
  sampled,
  type Divergence,
  type LossType,
  type Pair,
  type PairwiseObjective,
  type Scores,
} from "../../objectives/index.ts";
import { choice, fixed, flag, param, params, unused, type Keys } from "../keys.ts";
import type { Quantities } from "../quantities.ts";
import type { Chosen, Row } from "../row.ts";
import { pairWeights } from "./weights.ts";

type Names = ReadonlySet<string>;
type Modifier = (inner: PairwiseObjective) => PairwiseObjective;

const divergences: Readonly<Record<string, Divergence>> = {
  reverse_kl: reverseKl,
  forward_kl: forwardKl,
  js_divergence: jsDivergence,
  alpha_divergence: alphaDivergence(),
};
const divergence = ({ f_divergence_type = "reverse_kl" }: Chosen): Modifier =>
  withDivergence(divergences[String(f_divergence_type)]!);
const desensitised = (given: Names): Modifier =>
  given.has("ld_alpha") ? lengthDesensitised() : (inner) => inner;

/** The scores and log-probabilities that TRL records, under the modifiers that the loss is under. */
function recorded(options: Chosen, given: Names): Quantities {
  const modify = desensitised(given);
  const score = (of: (s: Scores) => Expr<PerExample>): Node =>
    modify(divergence(options)(linked("score", "carries a score", 1, of))).loss;
  const data = (of: (g: Given<Pair>) => Expr<PerExample>): Node =>
    modify(objective("data", ["w", "l"], of, { source: "carries a log-probability" })).loss;
  return {
    chosen_logps: data((g) => g.policy.logps(g.y.w)),
    rejected_logps: data((g) => g.policy.logps(g.y.l)),
    ref_chosen_logps: data((g) => g.ref.logps(g.y.w)),
    ref_rejected_logps: data((g) => g.ref.logps(g.y.l)),
    chosen_scores: score(({ w }) => w),
    rejected_scores: score(({ l }) => l),
    delta_score: score(({ difference }) => difference),
    ...(options["use_weighting"] === true ? pairWeights("sampled") : {}),
  };
}

/** A row for losses of TRL's DPOTrainer, by a pattern of their names and the keys that they read beside the common ones. */
const head = (names: RegExp, types: readonly string[], keys: Keys): Row => ({
  names: [names],
  keys: {
    loss_type: choice("loss_type", ...types),
    use_weighting: flag("use_weighting"),
    beta: param("beta", 0.1),
    ld_alpha: param("ld_alpha"),
    f_divergence_type: choice("f_divergence_type", ...Object.keys(divergences)),
    f_alpha_divergence_coef: unused("only an α-divergence has one"),
    discopop_tau: unused("only discopop has one"),
    label_smoothing: unused(
      "since its rewrite TRL reads it only in the losses that are named after it",
    ),
    ...keys,
  },
  objective: (options, given) => {
    const loss = trlDpo({ loss_type: options["loss_type"] as LossType });
    const modified = desensitised(given)(divergence(options)(loss));
    return options["use_weighting"] === true ? withWeighting(sampled)(modified) : modified;
  },
  quantities: recorded,
});

const plain = [
  "sigmoid",
  "hinge",
  "ipo",
  "nca_pair",
  "bco_pair",
  "sppo_hard",
  "apo_zero",
  "apo_down",
  "sigmoid_norm",
];
const scored = [
  ...plain.filter((type) => !type.startsWith("apo")),
  "discopop",
  "exo_pair",
  "robust",
];
const named = (types: readonly string[], divergence: string): RegExp =>
  new RegExp(
    String.raw`^dpo/(?:${types.join("|")})${divergence}(?:\+ld_alpha)?(?:\+use_weighting)?$`,
  );
const one = "(?:/(?:reverse_kl|forward_kl|js_divergence))?";
/** ε, where a loss reads it. */
export const epsilon = (otherwise: number): Keys => ({
  label_smoothing: param("label_smoothing", otherwise),
});
const alpha: Keys = {
  f_divergence_type: fixed("alpha_divergence"),
  f_alpha_divergence_coef: param("f_alpha_divergence_coef", 0.5),
};

export const trlLosses: readonly Row[] = [
  head(named(plain, one), plain, {}),
  head(named(["discopop"], one), ["discopop"], { discopop_tau: param("discopop_tau", 0.05) }),
  head(named(["robust"], one), ["robust"], epsilon(0)),
  ...["aot", "aot_unpaired"].map((type) => head(named([type], ""), [type], epsilon(0))),
  head(named(["exo_pair"], one), ["exo_pair"], epsilon(0.001)),
  {
    ...head(named(scored, "/alpha_divergence"), scored, alpha),
    objective: ({ loss_type, use_weighting }, given) => {
      const loss = withDivergence(alphaDivergence())(trlDpo({ loss_type: loss_type as LossType }));
      const modified = desensitised(given)(loss);
      return use_weighting === true ? withWeighting(sampled)(modified) : modified;
    },
    quantities: (options, given) =>
      recorded({ ...options, f_divergence_type: "alpha_divergence" }, given),
  },
  {
    names: ["dpo/MPO(sigmoid+bco_pair+sft)"],
    keys: {
      loss_type: fixed(["sigmoid", "bco_pair", "sft"]),
      loss_weights: params("loss_weights.sigmoid", "loss_weights.bco_pair", "loss_weights.sft"),
      beta: param("beta", 0.1),
      label_smoothing: unused("none of the losses reads it"),
    },
    objective: () => trlDpo({ loss_type: ["sigmoid", "bco_pair", "sft"], loss_weights: [1, 1, 1] }),
    quantities: recorded,
  },
];
