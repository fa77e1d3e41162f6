// What pairwise objectives share: the log-ratio and the margin of the DPO paper, and the metrics that TRL
// reports beside every one of them, under TRL's names.

import { at, count, exp, logSoftmax, max, neg, real, sum } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import type {
  Expr,
  Given,
  Metrics,
  Model,
  Models,
  ObjectiveOf,
  PerExample,
  PerToken,
  PerVocab,
  Response,
} from "../dsl/index.ts";

/** The chosen and the rejected response. */
export type Pair = "w" | "l";
export type PairwiseObjective = ObjectiveOf<Pair>;

/** log π(v | x, y<t) over the vocabulary. */
export const logPi: <R extends string>(m: Model, y: Response<R>) => Expr<PerVocab<R>> = taking(
  "logPi",
  ["model"],
  <R extends string>(m: Model, y: Response<R>): Expr<PerVocab<R>> =>
    logSoftmax("vocab", m.logits(y)),
);

/** h(y) = log π(y | x) − log π_ref(y | x) */
export const logRatio: <R extends string>(given: Models, y: Response<R>) => Expr<PerExample> =
  taking(
    "logRatio",
    ["models"],
    <R extends string>({ policy, ref }: Models, y: Response<R>): Expr<PerExample> =>
      policy.logps(y).minus(ref.logps(y)),
  );

/** Δ = h(y_w) − h(y_l) */
export const margin: (g: Given<Pair>) => Expr<PerExample> = taking(
  "margin",
  ["given"],
  (g: Given<Pair>): Expr<PerExample> => logRatio(g, g.y.w).minus(logRatio(g, g.y.l)),
);

/** −Σ_v π(v) log π(v) at each token. */
export const entropy: <R extends string>(m: Model, y: Response<R>) => Expr<PerToken<R>> = taking(
  "entropy",
  ["model"],
  <R extends string>(m: Model, y: Response<R>): Expr<PerToken<R>> =>
    neg(sum("vocab", exp(logPi(m, y)).times(logPi(m, y)))),
);

/** 1 where no token is likelier than y_t. A tie counts as correct; PyTorch's argmax leaves it undefined. */
export const isMostLikely: <R extends string>(m: Model, y: Response<R>) => Expr<PerToken<R>> =
  taking(
    "isMostLikely",
    ["model"],
    <R extends string>(m: Model, y: Response<R>): Expr<PerToken<R>> =>
      real(at(m.logits(y), "vocab", y.ids).ge(max("vocab", m.logits(y)))),
  );

/** Σ over every completion token of the batch. */
export const total = <R extends string>(perToken: Expr<PerToken<R>>): Expr =>
  sum("batch", sum("token", perToken));

/** The number of completion tokens in the batch. */
export const tokens = <R extends string>(y: Response<R>): Expr => sum("batch", count("token", y));

/**
 * The metrics of TRL's DPOTrainer._compute_loss (trl/trainer/dpo_trainer.py, "Log the metrics") for given rewards
 * of the two responses: the entropy is averaged over the completion tokens of both, the token accuracy over those
 * of the chosen one.
 */
export const rewardMetrics = (
  { policy, y }: Given<Pair>,
  chosen: Expr<PerExample>,
  rejected: Expr<PerExample>,
): Metrics => ({
  "rewards/chosen": chosen,
  "rewards/rejected": rejected,
  "rewards/margins": chosen.minus(rejected),
  "rewards/accuracies": real(chosen.gt(rejected)),
  "logps/chosen": policy.logps(y.w),
  "logps/rejected": policy.logps(y.l),
  entropy: total(entropy(policy, y.w))
    .plus(total(entropy(policy, y.l)))
    .over(tokens(y.w).plus(tokens(y.l))),
  mean_token_accuracy: total(isMostLikely(policy, y.w)).over(tokens(y.w)),
});

/** The same where rewards are β times the log-ratio, as in TRL. */
export const pairMetrics: (g: Given<Pair>, beta: Expr) => Metrics = taking(
  "pairMetrics",
  ["given", "expression"],
  (g: Given<Pair>, beta: Expr): Metrics =>
    rewardMetrics(g, beta.times(logRatio(g, g.y.w)), beta.times(logRatio(g, g.y.l))),
);
