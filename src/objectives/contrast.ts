// What losses of a chosen and a rejected response without a reference model share: how a difference of scores
// becomes a loss, the log-probability of a response per token, and its negative log-likelihood.

import { constant, logSigmoid, mean, neg, real, relu } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import type { Expr, Given, Metrics, Model, PerExample, Response } from "../dsl/index.ts";
import { tokens, total, type Pair } from "./pairwise.ts";

/** −(1 − ε) log σ(x) − ε log σ(−x): the cross-entropy with labels of which a share ε is wrong. */
export const logistic = (x: Expr<PerExample>, epsilon: Expr): Expr<PerExample> =>
  neg(constant(1).minus(epsilon).times(logSigmoid(x))).minus(epsilon.times(logSigmoid(neg(x))));

/** max(0, 1 − x) */
export const hinge = (x: Expr<PerExample>): Expr<PerExample> => relu(constant(1).minus(x));

/** log π(y | x) / |y| */
export const averageLogps: <R extends string>(m: Model, y: Response<R>) => Expr<PerExample> =
  taking(
    "averageLogps",
    ["model"],
    <R extends string>(m: Model, y: Response<R>): Expr<PerExample> => mean("token", m.logp(y)),
  );

/** −Σ log π(y_t) / Σ |y|, over every completion token of the batch. */
export const likelihood: <R extends string>(m: Model, y: Response<R>) => Expr = taking(
  "likelihood",
  ["model"],
  <R extends string>(m: Model, y: Response<R>): Expr => neg(total(m.logp(y))).over(tokens(y)),
);

/** A number for the chosen and one for the rejected response. */
export interface Both {
  readonly chosen: Expr<PerExample>;
  readonly rejected: Expr<PerExample>;
}

/** log π(y | x) of both responses, or its average per token. */
export const scores: (m: Model, y: Given<Pair>["y"], perToken: boolean) => Both = taking(
  "scores",
  ["model", "responses"],
  (m: Model, y: Given<Pair>["y"], perToken: boolean): Both => {
    const score = <R extends string>(y: Response<R>): Expr<PerExample> =>
      perToken ? averageLogps(m, y) : m.logps(y);
    return { chosen: score(y.w), rejected: score(y.l) };
  },
);

/** TRL's metrics where rewards are β times something, and the log-probabilities that they come from. */
export const contrastMetrics = (rewards: Both, beta: Expr, logps: Both): Metrics => {
  const [chosen, rejected] = [beta.times(rewards.chosen), beta.times(rewards.rejected)];
  return {
    "rewards/chosen": chosen,
    "rewards/rejected": rejected,
    "rewards/accuracies": real(chosen.gt(rejected)),
    "rewards/margins": chosen.minus(rejected),
    "logps/chosen": logps.chosen,
    "logps/rejected": logps.rejected,
  };
};
