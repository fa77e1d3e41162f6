// What losses of single completions share: whether a completion is desirable, and averages over the desirable and the
// undesirable ones, either of which may be absent from a batch.

import { constant, maximum, real, sum } from "../dsl/index.ts";
import type { Expr, Given, Metrics, PerExample } from "../dsl/index.ts";

/** Whether the completion of an example is desirable: the number "desirable" is 1 or 0. */
export const isDesirable = (g: Given<"y">): Expr<PerExample, "bool"> => g.flag("desirable");

/** The average over the examples where `chosen` is 1; 0 where there are none. */
const averageOver = (chosen: Expr<PerExample>, x: Expr<PerExample>): Expr =>
  sum("batch", chosen.times(x)).over(maximum(sum("batch", chosen), 1));

/** TRL's metrics of unpaired feedback: "chosen" stands for desirable completions, "rejected" for undesirable ones. */
export const groupMetrics = (g: Given<"y">, reward: Expr<PerExample>): Metrics => {
  const [desirable, logps] = [real(isDesirable(g)), g.policy.logps(g.y.y)];
  const undesirable = constant(1).minus(desirable);
  const [chosen, rejected] = [averageOver(desirable, reward), averageOver(undesirable, reward)];
  return {
    "rewards/chosen": chosen,
    "rewards/rejected": rejected,
    "rewards/margins": chosen.minus(rejected),
    "logps/chosen": averageOver(desirable, logps),
    "logps/rejected": averageOver(undesirable, logps),
  };
};
