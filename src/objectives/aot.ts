// Alignment by optimal transport: the chosen responses of a batch are to be better than the rejected ones as
// distributions, so margins are compared after sorting them along the batch, and belong to no single pair.

import { constant, logSigmoid, neg, objective, param, sort } from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { checkOptions, positive, smoothing, type OptionKinds } from "./options.ts";
import { betaOptions, type BetaOptions } from "./margins.ts";
import { logRatio, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Options of AOT. */
export interface AotOptions extends BetaOptions {
  /** ε, the probability that a preference label is wrong; 0. */
  readonly label_smoothing?: number;
}
export const aotOptions: OptionKinds = { ...betaOptions, label_smoothing: smoothing };

/** −(1 − ε) log σ(βd) − ε log σ(−βd) of the differences d of two sorted lists. */
function transport(
  name: string,
  options: AotOptions,
  differences: (g: Given<Pair>) => Expr<PerExample>,
): PairwiseObjective {
  const { beta = 0.1, label_smoothing = 0 } = checkOptions(name, aotOptions, options);
  const [β, ε] = [
    param("beta", beta, positive),
    param("label_smoothing", label_smoothing, smoothing),
  ];
  return objective(
    name,
    ["w", "l"],
    (g) => {
      const x = β.times(differences(g));
      return neg(constant(1).minus(ε).times(logSigmoid(x))).minus(ε.times(logSigmoid(neg(x))));
    },
    { source: "Melnyk et al. 2024, arXiv 2406.05882", metrics: (g) => pairMetrics(g, β) },
  );
}

/**
 * d = sort(log π(y_w)/π(y_l)) − sort(log π_ref(y_w)/π_ref(y_l)): the margins of the policy against those of the reference.
 * Melnyk et al. 2024 (arXiv 2406.05882), paired; TRL's loss_type "aot".
 */
export const aot = (options: AotOptions = {}): PairwiseObjective =>
  transport("aot", options, ({ policy, ref, y }) =>
    sort("batch", policy.logps(y.w).minus(policy.logps(y.l))).minus(
      sort("batch", ref.logps(y.w).minus(ref.logps(y.l))),
    ),
  );

/**
 * d = sort(h(y_w)) − sort(h(y_l)): log-ratios of chosen against those of rejected responses, of whichever prompts.
 * Melnyk et al. 2024 (arXiv 2406.05882), unpaired; TRL's loss_type "aot_unpaired".
 */
export const aotUnpaired = (options: AotOptions = {}): PairwiseObjective =>
  transport("aot_unpaired", options, (g) =>
    sort("batch", logRatio(g, g.y.w)).minus(sort("batch", logRatio(g, g.y.l))),
  );
