// The running example of docs/how-it-works.md: weighted preference optimisation with sampled alignment, written out.
import {
  exp,
  log,
  logSigmoid,
  logSoftmax,
  mean,
  neg,
  objective,
  param,
  square,
  stopGrad,
  sum,
  type Expr,
  type Models,
  type ObjectiveOf,
  type PerExample,
  type Response,
} from "../../src/index.ts";

const weight = <R extends string>({ policy }: Models, y: Response<R>): Expr<PerExample> => {
  const alignment = log(sum("vocab", square(exp(logSoftmax("vocab", policy.logits(y))))));
  return exp(mean("token", policy.logp(y).minus(alignment)));
};

const logRatio = <R extends string>({ policy, ref }: Models, y: Response<R>): Expr<PerExample> =>
  policy.logps(y).minus(ref.logps(y));

export const example: ObjectiveOf<"w" | "l"> = objective(
  "wpo",
  ["w", "l"],
  (given) => {
    const { w, l } = given.y;
    const pair = stopGrad(weight(given, w).times(weight(given, l)));
    const margin = logRatio(given, w).minus(logRatio(given, l));
    return neg(pair.times(logSigmoid(param("beta", 0.1).times(margin))));
  },
  { source: "Zhou et al. 2024, arXiv 2406.11827" },
);
