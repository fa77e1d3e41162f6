// Preference losses with a share of the likelihood of the chosen responses added, as several sources mix them.

import { objective, param, type ObjectiveOf } from "../../dsl/index.ts";
import { sft, type Pair, type PairwiseObjective } from "../../objectives/index.ts";

/** Names of the run-time parameters that weigh the two losses. */
export interface Shares {
  /** Of the preference loss; 1 unless named. */
  readonly preference?: string;
  /** Of the negative log-likelihood. */
  readonly likelihood: string;
}

/** a · (preference loss) + b · (negative log-likelihood of the chosen tokens, averaged over all of them) */
export function withLikelihood(
  inner: PairwiseObjective,
  { preference, likelihood }: Shares,
): ObjectiveOf<Pair> {
  const { define } = sft();
  return objective(
    `${inner.name} with likelihood`,
    ["w", "l"],
    (g) => {
      const { loss, metrics } = inner.define(g);
      const preferred = preference === undefined ? loss : param(preference, 1).times(loss);
      return { loss: preferred.plus(param(likelihood, 1).times(define(g).loss)), metrics };
    },
    { source: `${inner.source}; mixed with the likelihood of the chosen responses` },
  );
}
