// Policy gradients of completions whose advantages are given: GRPO and its relatives. Which completions share a
// prompt is settled before the loss: it enters through the advantages alone.

import {
  clamp,
  constant,
  count,
  exp,
  iota,
  mean,
  minimum,
  neg,
  objective,
  param,
} from "../dsl/index.ts";
import { real, sigmoid, stopGrad, sum, where } from "../dsl/index.ts";
import type {
  Expr,
  Given,
  Metrics,
  Model,
  ObjectiveOf,
  PerExample,
  PerToken,
} from "../dsl/index.ts";
import { grpoOptions, grpoReaders, type GrpoLoss, type GrpoOptions } from "./grpo-options.ts";
import { checkApplies, checkOptions, positive } from "./options.ts";
import { entropy, tokens, total } from "./pairwise.ts";

type Token = Expr<PerToken<"y">>;
type Sampled = Given<"y", "old">;

/** The advantage of each completion, as data of the examples: TRL's `advantages`. */
const advantageOf = (g: Sampled): Expr<PerExample> => g.example("advantages");

/** What a loss of a token is made of. */
interface Step {
  readonly A: Expr<PerExample>;
  /** log π(y_t) of the policy. */
  readonly logp: Token;
  /** log π(y_t) − log π_old(y_t) */
  readonly logRatio: Token;
  /** The ratio of the token, or of its whole completion. */
  readonly ratio: Token;
}

/** How far a ratio may be from 1. */
interface Bounds {
  readonly low: Expr;
  readonly high: Expr;
}

/** −min(r A, clip(r, 1 − ε, 1 + ε_high) A) */
const clippedLoss = ({ A, ratio }: Step, { low, high }: Bounds): Token => {
  const within = clamp(ratio, { min: constant(1).minus(low), max: constant(1).plus(high) });
  return neg(minimum(ratio.times(A), within.times(A)));
};

/** −φ A log π(y_t), φ = e^{λ + k log w − λ w} of the ratio w of the whole completion, as data. */
const vespoLoss = (
  { A, logp, logRatio }: Step,
  options: GrpoOptions,
): { loss: Token; phi: Expr<PerExample> } => {
  const chosen = (pos: Expr, negative: Expr): Expr<PerExample> => where(A.ge(0), pos, negative);
  const k = chosen(
    param("vespo_k_pos", options.vespo_k_pos ?? 2),
    param("vespo_k_neg", options.vespo_k_neg ?? 3),
  );
  const λ = chosen(
    param("vespo_lambda_pos", options.vespo_lambda_pos ?? 3, positive),
    param("vespo_lambda_neg", options.vespo_lambda_neg ?? 2, positive),
  );
  const whole = sum("token", clamp(logRatio, { min: -20, max: 20 }));
  const logW = clamp(whole, { min: Math.log(1e-8), max: 20 });
  const phi = stopGrad(exp(λ.plus(k.times(logW)).minus(λ.times(exp(logW)))));
  return { loss: neg(phi.times(A).times(logp)), phi };
};

/** The loss of a token by the name of the objective. */
function tokenLoss(type: GrpoLoss, step: Step, bounds: Bounds, options: GrpoOptions): Token {
  const { A, logp, ratio } = step;
  if (type === "cispo")
    return neg(
      stopGrad(clamp(ratio, { max: bounds.high }))
        .times(A)
        .times(logp),
    );
  if (type === "vespo") return vespoLoss(step, options).loss;
  if (type !== "sapo") return clippedLoss(step, bounds);
  const τ: Expr<PerExample> = where(
    A.gt(0),
    param("sapo_temperature_pos", options.sapo_temperature_pos ?? 1, positive),
    param("sapo_temperature_neg", options.sapo_temperature_neg ?? 1.05, positive),
  );
  return neg(
    sigmoid(τ.times(ratio.minus(1)))
      .times(constant(4).over(τ))
      .times(A),
  );
}

/** How losses of tokens become one: an average per completion, per token, per step, or per longest completion. */
function overBatch(
  type: GrpoLoss,
  loss: Token,
  { y }: Sampled,
  options: GrpoOptions,
): Expr<PerExample> {
  if (type === "grpo" || type === "sapo") return mean("token", loss);
  if (type === "luspo") return sum("token", loss);
  if (type === "bnpo") return total(loss).over(tokens(y.y));
  if (type === "dr_grpo") {
    const longest = param("max_completion_length", options.max_completion_length ?? 512, positive);
    return total(loss).over(count("batch").times(longest));
  }
  return total(loss).over(
    options.normaliser === "given" ? param("num_items_in_batch", undefined, positive) : tokens(y.y),
  );
}

/** The share of the tokens where something holds, or of the completions where ratios are of whole ones. */
const share = (
  holds: Expr<PerToken<"y">, "bool">,
  { y }: Sampled,
  level: Level,
): Expr<PerExample> =>
  level === "token" ? total(real(holds)).over(tokens(y.y)) : mean("token", real(holds));

type Level = NonNullable<GrpoOptions["importance_sampling_level"]>;

/** TRL's metrics of clipped ratios. */
function clipMetrics(
  type: GrpoLoss,
  level: Level,
  { A, ratio }: Step,
  { low, high }: Bounds,
  g: Sampled,
): Metrics {
  if (type === "cispo") return { cispo_clip_ratio: share(ratio.gt(high).and(A.gt(0)), g, level) };
  if (type === "sapo" || type === "vespo") return {};
  const isLow = ratio.lt(constant(1).minus(low)).and(A.lt(0));
  const isHigh = ratio.gt(constant(1).plus(high)).and(A.gt(0));
  return {
    "clip_ratio/low_mean": share(isLow, g, level),
    "clip_ratio/high_mean": share(isHigh, g, level),
    "clip_ratio/region_mean": share(isLow.or(isHigh), g, level),
  };
}

/**
 * e^{r} − r − 1 of r = log π_ref(y_t) − log π(y_t): an estimate of the divergence that is never negative. Times the ratio of
 * the token it is e^{log π_ref − log π_old} − (r + 1) ratio, whose first term has no gradient: as a product, two large
 * slopes would have to cancel.
 */
const divergence = (
  logp: Token,
  ref: Model,
  y: Sampled["y"],
  ratio: Token | undefined,
  of: Token,
): Token => {
  const r = ref.logp(y.y).minus(logp);
  return ratio === undefined
    ? exp(r).minus(r).minus(1)
    : exp(stopGrad(r.plus(of))).minus(r.plus(1).times(ratio));
};

const source =
  "Shao et al. 2024, arXiv 2402.03300, equation 3; TRL 1.16.0, trl/trainer/grpo_trainer.py, _compute_loss";

/**
 * −min(r A, clip(r, 1 − ε, 1 + ε_high) A) + β KL at every token of a completion "y", r = π(y_t)/π_old(y_t); example
 * "advantages" is A. By loss_type:
 *
 * - "grpo" averages over the tokens of a completion, then over completions: Shao et al. 2024 (arXiv 2402.03300), equation 3
 * - "bnpo" averages over the tokens of the batch, "dapo" over those of the step: Yu et al. 2025 (arXiv 2503.14476), equation 8
 * - "dr_grpo" divides by max_completion_length: Liu et al. 2025 (arXiv 2503.20783)
 * - "luspo" sums over the tokens of a completion (arXiv 2602.05261)
 * - "cispo" has −sg(min(r, ε_high)) A log π: MiniMax 2025 (arXiv 2506.13585), equation 4
 * - "sapo" has −(4/τ) σ(τ(r − 1)) A (arXiv 2511.20347), "vespo" −φ(w) A log π with w of the whole completion
 *
 * importance_sampling_level "sequence" takes r of the average log-ratio: GSPO, Zheng et al. 2025 (arXiv 2507.18071), equation 7.
 * TRL 1.16.0, trl/trainer/grpo_trainer.py, `_compute_loss`.
 * @throws PrefcError unknown-option, option-value, option-does-not-apply
 */
export function grpo(options: GrpoOptions = {}): ObjectiveOf<"y"> {
  const given = checkOptions("grpo", grpoOptions, options);
  const { loss_type: type = "dapo", importance_sampling_level: level = "token" } = given;
  const { old = "given", beta = 0, use_bias_correction_kl = true, epsilon = 0.2 } = given;
  checkApplies("grpo", "loss_type", type, given, grpoReaders);
  const low = param("epsilon", epsilon, { from: 0 });
  const high =
    given.epsilon_high === undefined ? low : param("epsilon_high", given.epsilon_high, { from: 0 });
  return objective(
    "grpo",
    ["y"],
    (g: Sampled) => {
      const { policy, ref, y } = g;
      const logp = policy.logp(y.y);
      const logRatio = logp.minus(old === "given" ? g.old.logp(y.y) : stopGrad(logp));
      // the same for every token, yet one for each
      const whole = (): Token => mean("token", logRatio).times(real(iota("token", y.y).ge(0)));
      const ratio = exp(level === "token" ? logRatio : whole());
      const step: Step = { A: advantageOf(g), logp, logRatio, ratio };
      const gain = tokenLoss(type, step, { low, high }, given);
      const corrected = use_bias_correction_kl && level === "token" ? ratio : undefined;
      const estimate = divergence(logp, ref, y, corrected, logRatio);
      const ofWhole = use_bias_correction_kl && level === "sequence";
      const kl = beta === 0 ? undefined : ofWhole ? estimate.times(ratio) : estimate;
      const loss = kl === undefined ? gain : gain.plus(param("beta", beta, { from: 0 }).times(kl));
      return {
        loss: overBatch(type, loss, g, given),
        metrics: {
          ...(kl === undefined ? {} : { kl: total(kl).over(tokens(y.y)) }),
          entropy: total(entropy(policy, y.y)).over(tokens(y.y)),
          ...clipMetrics(type, level, step, { low, high }, g),
          ...(type === "vespo" ? { "vespo/phi_seq_mean": vespoLoss(step, given).phi } : {}),
        },
      };
    },
    { models: ["old"], source },
  );
}
