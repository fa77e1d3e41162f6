// The losses of the DiscoPOP repository: those that a language model proposed in the search for DiscoPOP, mixtures of
// known losses of the margin with shares that may depend on the whole batch, and one of the baselines.

import {
  abs,
  clamp,
  constant,
  exp,
  logSigmoid,
  mean,
  neg,
  objective,
  param,
  sigmoid,
  sqrt,
  variance,
  where,
} from "../dsl/index.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { hinge } from "./contrast.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logRatio, margin, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** Default of the run-time parameter of the same name. */
export interface DiscoveredOptions {
  /** β, how strongly the policy is held to the reference; 0.05, the value for which the losses were found. */
  readonly beta?: number;
}

export const discoveredOptions: OptionKinds = { beta: "number" };

/** An objective with β as its only parameter. */
export type Discovered = (options?: DiscoveredOptions) => PairwiseObjective;

/** The β for which the losses were found; x/0.05 is the margin itself there. */
const found = 0.05;

type Formula = (x: Expr<PerExample>, g: Given<Pair>, β: Expr) => Expr<PerExample>;

/** An objective from a formula of x = βΔ. */
const discovered =
  (name: string, lines: string, formula: Formula): Discovered =>
  (options = {}) => {
    const { beta = found } = checkOptions(name, discoveredOptions, options);
    const β = param("beta", beta);
    return objective(name, ["w", "l"], (g) => formula(β.times(margin(g)), g, β), {
      source: `Lu et al. 2024, arXiv 2406.08414, appendix E; DiscoPOP, src/alignment/gpo.py, lines ${lines}`,
      metrics: (g) => pairMetrics(g, β),
    });
  };

const logistic = (x: Expr<PerExample>): Expr<PerExample> => neg(logSigmoid(x));

/** share · a + (1 − share) · b */
const blend = (
  share: Expr<PerExample>,
  a: Expr<PerExample>,
  b: Expr<PerExample>,
): Expr<PerExample> => share.times(a).plus(constant(1).minus(share).times(b));

/** The root of the variance, whose derivative at 0 is 0, as in PyTorch. */
function deviation(x: Expr<PerExample>): Expr {
  const v = variance("batch", x);
  return where(v.gt(0), sqrt(where(v.gt(0), v, 1)), 0);
}

/**
 * Dynamic blended adaptive quantile loss: c · −log σ(x/0.9) + (1 − c) e^(−0.9x), c = σ(Var(x/0.05)), x = βΔ
 *
 * The variance is the unbiased one over the batch, so a batch needs two pairs; the gradient passes through it.
 */
export const dbaql: Discovered = discovered("dbaql", "152–182", (x) =>
  blend(sigmoid(variance("batch", x.over(0.05))), logistic(x.over(0.9)), exp(neg(x.times(0.9)))),
);

/**
 * Adaptive quantile loss: ω · −log σ(x) + (1 − ω) max(0, 1 − x), ω = σ(q − x/0.05),
 * q = 0.5 + 0.01 (σ(E[x/0.05]) − 0.5), x = βΔ
 */
export const aql: Discovered = discovered("aql", "208–232", (x) => {
  const scaled = x.over(0.05);
  const quantile = sigmoid(mean("batch", scaled)).minus(0.5).times(0.01).plus(0.5);
  return blend(sigmoid(quantile.minus(scaled)), logistic(x), hinge(x));
});

/**
 * Adaptive quantile feedback loss: b · −log σ(x) + (1 − b) max(0, 1 − x), b = σ(0.1 |x/0.05 − q|),
 * q = p + 0.05 (σ(E[x/0.05]) − p), p = Std(x/0.05) E[σ(−x/0.05)], x = βΔ
 */
export const aqfl: Discovered = discovered("aqfl", "234–264", (x) => {
  const scaled = x.over(0.05);
  const p = deviation(scaled).times(mean("batch", sigmoid(neg(scaled))));
  const quantile = p.plus(sigmoid(mean("batch", scaled)).minus(p).times(0.05));
  return blend(sigmoid(abs(scaled.minus(quantile)).times(0.1)), logistic(x), hinge(x));
});

/** Performance adaptive decay logistic loss: 0.9 (1 − 0.5·1[Δ < 0]) · −log σ(x), x = βΔ */
export const padll: Discovered = discovered("padll", "295–312", (x, g) =>
  where(margin(g).lt(0), 0.45, 0.9).times(logistic(x)),
);

/** Combined exponential and logistic loss: ½ e^(−x) + ½ · −log σ(x), x = βΔ */
export const cell: Discovered = discovered("cell", "314–329", (x) =>
  exp(neg(x)).plus(logistic(x)).times(0.5),
);

/**
 * Log ratio modulated loss: (1 − m) · −log σ(x) + m e^(−x), m = σ(x/0.05), x = βΔ
 *
 * DiscoPOP itself. For large −x the source multiplies an infinity by 0; here the product is one exponential.
 */
export const lrml: Discovered = discovered("lrml", "349–367", (x) =>
  blend(sigmoid(x.over(0.05)), exp(neg(x)), logistic(x)),
);

/** Policy focused loss: ½ · −log σ(x) where log π(y_w) > log π(y_l), else 2 max(0, 1 − x), x = βΔ */
export const pfl: Discovered = discovered("pfl", "369–394", (x, { policy, y }) =>
  where(policy.logps(y.w).gt(policy.logps(y.l)), logistic(x).over(2), hinge(x).times(2)),
);

/** max(0, E[h]) over the batch, an estimate of KL(π ‖ π_ref). */
const klEstimate = (h: Expr<PerExample>): Expr => clamp(mean("batch", h), { min: 0 });

/**
 * KTO of pairs: ½ (1 − σ(β(h_w − K_l))) + ½ (1 − σ(β(K_w − h_l))), K = max(0, E[h])
 *
 * The divergence is estimated from the other half of the batch, and the gradient passes through it. The source lists both
 * terms as losses of their own, of which the average is the same; 1 − σ(x) is written σ(−x), which keeps its digits.
 */
export const ktoPair: Discovered = discovered("kto-pair", "462–482", (_x, g, β) => {
  const [chosen, rejected] = [logRatio(g, g.y.w), logRatio(g, g.y.l)];
  const first = sigmoid(β.times(klEstimate(rejected).minus(chosen)));
  const second = sigmoid(β.times(rejected.minus(klEstimate(chosen))));
  return first.plus(second).times(0.5);
});
