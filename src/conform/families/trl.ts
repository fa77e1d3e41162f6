// TRL's DPOTrainer, release by release: a recorded file says which release it is of by the beginning of its name, and
// everything else by the options of its DPOConfig.

import { changedGiven, named, objective, param as parameter } from "../../dsl/index.ts";
import type { Expr, Given, PerExample } from "../../dsl/index.ts";
import type { Node } from "../../core/node.ts";
import {
  alphaDivergence,
  dpo,
  forwardKl,
  jsDivergence,
  lengthDesensitised,
  linked,
  logRatio,
  reverseKl,
  trlDpo,
  withDivergence,
  withoutConstant,
  type Divergence,
  type DivergenceType,
  type LossType,
  type Pair,
  type PairwiseObjective,
  type Scores,
} from "../../objectives/index.ts";
import { averaged } from "../../objectives/trl.ts";
import { lossReleases, meaningIn, type Meaning } from "../../objectives/trl-releases.ts";
import { choice, flag, param, params, unused, words, wordsAt, type Keys } from "../keys.ts";
import { isGiven } from "../golden.ts";
import { member, type Place } from "../place.ts";
import { rewardsWithReference, type Quantities } from "../quantities.ts";
import type { Chosen, Row } from "../row.ts";
import { pairWeights } from "./weights.ts";

type Names = ReadonlySet<string>;

const divergences: Readonly<Record<DivergenceType, Divergence>> = {
  reverse_kl: reverseKl,
  forward_kl: forwardKl,
  js_divergence: jsDivergence,
  alpha_divergence: alphaDivergence(),
};
const divergenceOf = ({ f_divergence_type = "reverse_kl" }: Chosen): DivergenceType =>
  String(f_divergence_type) as DivergenceType;
const typesOf = ({ loss_type = ["sigmoid"] }: Chosen): readonly LossType[] =>
  loss_type as readonly LossType[];

/** Longer ones first, since some begin as others do. */
const lossNames = Object.keys(lossReleases).toSorted((a, b) => b.length - a.length);
/** The loss in the name of a file that has one. */
const single = new RegExp(String.raw`/(${lossNames.join("|")})(?![a-z])`);

/** What the keys of a file mean for the losses that it names. */
function keysOf(meaning: Meaning, place: Place, objective: string): Keys {
  const at = member(place, "loss_type");
  const types = isGiven(at) ? wordsAt(at) : ["sigmoid"];
  const some = (names: readonly string[]): boolean => types.some((type) => names.includes(type));
  const ofAlpha = member(place, "f_divergence_type").value === "alpha_divergence";
  return {
    loss_type: words("loss_type", single.exec(objective)?.[1]),
    loss_weights: params(...types.map((type) => `loss_weights.${type}`)),
    use_weighting: flag("use_weighting"),
    reference_free: flag("reference_free"),
    beta: types.every((type) => type === "sft")
      ? unused("the likelihood has no β")
      : param("beta", 0.1),
    label_smoothing: some(meaning.smoothed)
      ? param("label_smoothing", some(["exo_pair"]) ? 0.001 : 0)
      : unused("this release does not read it with these losses"),
    ld_alpha: param("ld_alpha"),
    rpo_alpha: param("rpo_alpha"),
    f_divergence_type: choice("f_divergence_type", ...Object.keys(divergences)),
    f_alpha_divergence_coef: ofAlpha
      ? param("f_alpha_divergence_coef", meaning.alpha)
      : unused("only an α-divergence has one"),
    discopop_tau: some(["discopop"])
      ? param("discopop_tau", 0.05)
      : unused("only discopop has one"),
  };
}

function objectiveOf(as_of: string, options: Chosen, given: Names): PairwiseObjective {
  const types = typesOf(options);
  const weights = given.has(`loss_weights.${types[0]}`) ? types.map(() => 1) : null;
  const made = trlDpo({
    as_of,
    loss_type: types,
    loss_weights: weights,
    use_weighting: options["use_weighting"] === true,
    reference_free: options["reference_free"] === true,
    f_divergence_type: divergenceOf(options),
    ...(given.has("ld_alpha") ? { ld_alpha: 0.5 } : {}),
    ...(given.has("rpo_alpha") ? { rpo_alpha: 1 } : {}),
  });
  // a loss that is no built-in of its own goes by the trainer's name
  return types.length === 1 && types[0] !== "sigmoid" ? made : named("trl_dpo", made);
}

/** The scores, log-probabilities and weights that TRL records, under the modifiers that the loss is under. */
function recorded(meaning: Meaning, options: Chosen, given: Names): Quantities {
  const divergence = divergences[divergenceOf(options)];
  const score = withDivergence(
    meaning.divergence === "centred" ? divergence : withoutConstant(divergence),
  );
  const modify = (inner: PairwiseObjective): Node =>
    (given.has("ld_alpha") ? lengthDesensitised() : (same: PairwiseObjective) => same)(inner).loss;
  const scored = (of: (s: Scores) => Expr<PerExample>): Node =>
    modify(score(linked("score", "carries a score", 1, of)));
  const data = (of: (g: Given<Pair>) => Expr<PerExample>): Node =>
    modify(objective("data", ["w", "l"], of, { source: "carries a log-probability" }));
  return {
    chosen_logps: data((g) => g.policy.logps(g.y.w)),
    rejected_logps: data((g) => g.policy.logps(g.y.l)),
    ref_chosen_logps: data((g) => g.ref.logps(g.y.w)),
    ref_rejected_logps: data((g) => g.ref.logps(g.y.l)),
    ...(meaning.divergence === "margin"
      ? {}
      : {
          chosen_scores: scored(({ w }) => w),
          rejected_scores: scored(({ l }) => l),
          delta_score: scored(({ difference }) => difference),
        }),
    ...(options["use_weighting"] === true ? pairWeights("sampled") : {}),
    // TRL averages the entropy over both responses, also where the loss reads one
    entropy: dpo().metrics["entropy"]!,
    ...(options["reference_free"] === true ? rewardsWithReference : {}),
  };
}

/** Up to 0.28, log-probabilities and rewards of IPO are averages over tokens, also where they are reported. */
function averages(): Quantities {
  const carrier = (of: (g: Given<Pair>) => Expr<PerExample>): Node =>
    objective(
      "average",
      ["w", "l"],
      (g) => of(changedGiven<Given<Pair>>(g, { policy: averaged(g.policy), ref: averaged(g.ref) })),
      { source: "carries an average" },
    ).loss;
  const β = parameter("beta");
  return {
    chosen_logps: carrier((g) => g.policy.logps(g.y.w)),
    rejected_logps: carrier((g) => g.policy.logps(g.y.l)),
    ref_chosen_logps: carrier((g) => g.ref.logps(g.y.w)),
    ref_rejected_logps: carrier((g) => g.ref.logps(g.y.l)),
    chosen_rewards: carrier((g) => β.times(logRatio(g, g.y.w))),
    rejected_rewards: carrier((g) => β.times(logRatio(g, g.y.l))),
  };
}

/** Files of one release. */
function release(as_of: string, prefix: string): Row {
  const meaning = meaningIn(as_of);
  return {
    names: [
      ...lossNames.map((name) => `${prefix}${name}`),
      new RegExp(
        String.raw`^${prefix.replace(".", String.raw`\.`)}(?:${lossNames.join("|")}|MPO|RPO|mix)(?![a-z])`,
      ),
    ],
    keys: (place, name) => keysOf(meaning, place, name),
    objective: (options, given) => objectiveOf(as_of, options, given),
    quantities: (options, given) =>
      meaning.averages && typesOf(options).includes("ipo")
        ? averages()
        : recorded(meaning, options, given),
  };
}

const defect: Row = {
  names: [/^trl-0\.(?:1[4-9]|2[0-8])\/.* \(off-by-one weights\)$/],
  keys: (place, name) => keysOf(meaningIn("0.28"), place, name),
  // what the weights were meant to multiply; the files are not compared
  objective: (options, given) => objectiveOf("0.28", { ...options, use_weighting: false }, given),
  defect: "TRL 0.14 to 0.28 weighted each pair by probabilities shifted by one token",
};

const series = (major: number, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${major}.${from + index}`);

export const trl: readonly Row[] = [
  defect,
  // recorded after release 1.9.0, under names of their own
  release("1.9", "dpo/"),
  // a trainer of 0.28 never hands a divergence on; its loss function takes one as releases before it did
  {
    ...release("0.27", "trl-0.28/"),
    names: [new RegExp(String.raw`^trl-0\.28/(?:${lossNames.join("|")})_f_divergence_type`)],
  },
  ...[...series(0, 7, 29), ...series(1, 0, 16)].map((minor) => release(minor, `trl-${minor}/`)),
];
