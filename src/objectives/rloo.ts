// REINFORCE with the average of the other completions as the baseline, which the given advantages have already: the ratio is
// that of a whole completion.

import { clamp, constant, exp, minimum, neg, objective, param, real } from "../dsl/index.ts";
import type { Given, ObjectiveOf } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { entropy, tokens, total } from "./pairwise.ts";

/** Defaults of the run-time parameters of the same names. */
export interface RlooOptions {
  /** ε, how far a ratio counts below 1; 0.2. */
  readonly epsilon?: number;
  /** How far a ratio counts above 1; epsilon. */
  readonly epsilon_high?: number;
}
export const rlooOptions: OptionKinds = { epsilon: { from: 0 }, epsilon_high: { from: 0 } };

/**
 * −min(r A, clip(r, 1 − ε, 1 + ε_high) A), r = π(y)/π_old(y) of a whole completion "y"; example "advantages" is A
 *
 * Ahmadian et al. 2024 (arXiv 2402.14740), with TRL's clipping: trl/trainer/rloo_trainer.py, `_compute_loss`, of 1.16.0. The
 * divergence from the reference acts on rewards before the loss.
 */
export function rloo(options: RlooOptions = {}): ObjectiveOf<"y"> {
  const { epsilon = 0.2, epsilon_high } = checkOptions("rloo", rlooOptions, options);
  const low = param("epsilon", epsilon, { from: 0 });
  const high = epsilon_high === undefined ? low : param("epsilon_high", epsilon_high, { from: 0 });
  return objective(
    "rloo",
    ["y"],
    (g: Given<"y", "old">) => {
      const A = g.example("advantages");
      const ratio = exp(g.policy.logps(g.y.y).minus(g.old.logps(g.y.y)));
      const [least, most] = [constant(1).minus(low), constant(1).plus(high)];
      const within = clamp(ratio, { min: least, max: most });
      const [isLow, isHigh] = [ratio.lt(least).and(A.lt(0)), ratio.gt(most).and(A.gt(0))];
      return {
        loss: neg(minimum(ratio.times(A), within.times(A))),
        metrics: {
          entropy: total(entropy(g.policy, g.y.y)).over(tokens(g.y.y)),
          "clip_ratio/low_mean": real(isLow),
          "clip_ratio/high_mean": real(isHigh),
          "clip_ratio/region_mean": real(isLow.or(isHigh)),
        },
      };
    },
    {
      models: ["old"],
      source:
        "Ahmadian et al. 2024, arXiv 2402.14740; TRL 1.16.0, trl/trainer/rloo_trainer.py, _compute_loss",
    },
  );
}
