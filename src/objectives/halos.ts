// The losses of the HALOs repository, which differ from the papers they follow in how tokens become sequences: a token's
// log-ratio may be clamped ("humanline"), and averages are over the tokens whose log-ratio is not zero.

import {
  abs,
  clamp,
  constant,
  logSigmoid,
  maximum,
  named,
  neg,
  objective,
  param,
  real,
  referenceFree,
  square,
  sum,
} from "../dsl/index.ts";
import type { Axes, Expr, Given, Models, PerExample, PerToken, Response } from "../dsl/index.ts";
import { logistic } from "./contrast.ts";
import { checkApplies, checkOptions, smoothing, type OptionKinds } from "./options.ts";
import { rewardMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** How the log-ratios of tokens are taken. */
export interface HumanlineOptions {
  /** Whether the log-ratio of each token is clamped; false. */
  readonly humanline?: boolean;
  /** The bounds of the clamp, −1 and 1.5: run-time parameters, read with `humanline`. */
  readonly log_epsilon_P?: number;
  readonly log_epsilon_R?: number;
}

/** Defaults of the run-time parameters of the same names. */
export interface HalosDpoOptions extends HumanlineOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
}
export interface HalosCdpoOptions extends HalosDpoOptions {
  /** ε, the probability that a preference label is wrong; 0.2. */
  readonly epsilon?: number;
}
export interface HalosIpoOptions extends HumanlineOptions {
  /** τ, the regularisation: log-ratios per token are to differ by 1/(2τ); 0.1. */
  readonly tau?: number;
}
export interface HalosSimpoOptions extends HumanlineOptions {
  /** β, the scale of the average log-probability; 10. */
  readonly beta?: number;
  /** γ/β, by how much the average log-probabilities should differ; 0.3. */
  readonly gamma_beta_ratio?: number;
}

const humanlineOptions: OptionKinds = {
  humanline: "boolean",
  log_epsilon_P: "number",
  log_epsilon_R: "number",
};
export const halosDpoOptions: OptionKinds = { beta: "number", ...humanlineOptions };
export const halosCdpoOptions: OptionKinds = { ...halosDpoOptions, epsilon: smoothing };
export const halosIpoOptions: OptionKinds = { tau: "number", ...humanlineOptions };
export const halosSimpoOptions: OptionKinds = { ...halosDpoOptions, gamma_beta_ratio: "number" };

/** log π(y_t) − log π_ref(y_t), clamped if asked for. */
type TokenRatio = <R extends string>(m: Models, y: Response<R>) => Expr<PerToken<R>>;

/** How an objective of these options takes the log-ratio of a token. */
export function tokenRatio(where: string, options: HumanlineOptions): TokenRatio {
  const { humanline = false, log_epsilon_P = -1, log_epsilon_R = 1.5 } = options;
  const readers = { log_epsilon_P: ["true"], log_epsilon_R: ["true"] };
  checkApplies(where, "humanline", String(humanline), options, readers);
  const [min, max] = [param("log_epsilon_P", log_epsilon_P), param("log_epsilon_R", log_epsilon_R)];
  const plain: TokenRatio = ({ policy, ref }, y) => policy.logp(y).minus(ref.logp(y));
  return humanline ? (m, y) => clamp(plain(m, y), { min, max }) : plain;
}

/**
 * Below this, a log-ratio is 0 in the source's float64: half a unit in the last place of a logit between 32 and 64, the
 * size at which a label's log-probability can be rounded away.
 */
const rounding = 2 ** -48;

/** 1 where a log-ratio is not 0. */
export const isNonzero = <A extends Axes>(x: Expr<A>): Expr<A> => real(abs(x).gt(rounding));

/** h = Σ_t of the log-ratios; `average` divides by the number of those that are not 0, or by 1 if all are. */
const summed = <R extends string>(x: Expr<PerToken<R>>): Expr<PerExample> => sum("token", x);
const averaged = <R extends string>(x: Expr<PerToken<R>>): Expr<PerExample> =>
  summed(x).over(maximum(summed(isNonzero(x)), 1));

interface Pairwise<O> {
  readonly name: string;
  readonly options: HumanlineOptions & O;
  /** From the log-ratios of tokens to the reward of a sequence. */
  readonly reward: typeof summed;
  /** The loss of the difference of the rewards. */
  readonly loss: (difference: Expr<PerExample>) => Expr<PerExample>;
  /** By what the reported rewards are multiplied. */
  readonly scale: Expr;
  readonly source: string;
}

/** A loss of the difference of the two rewards. */
function pairwise<O>({
  name,
  options,
  reward,
  loss,
  scale,
  source,
}: Pairwise<O>): PairwiseObjective {
  const ratio = tokenRatio(name, options);
  const of = <R extends Pair>(g: Given<Pair>, y: Response<R>): Expr<PerExample> =>
    reward(ratio(g, y));
  return objective(name, ["w", "l"], (g) => loss(of(g, g.y.w).minus(of(g, g.y.l))), {
    source: `${source}; ContextualAI/HALOs, train/trainers.py`,
    metrics: (g) => rewardMetrics(g, scale.times(of(g, g.y.w)), scale.times(of(g, g.y.l))),
  });
}

/**
 * −log σ(β(h_w − h_l)) with h = Σ_t log π(y_t)/π_ref(y_t), each term clamped with `humanline`
 *
 * HALOs, train/trainers.py, `DPOTrainer.loss` and `get_sequence_rewards`.
 */
export function halosDpo(options: HalosDpoOptions = {}): PairwiseObjective {
  const given = checkOptions("halos-dpo", halosDpoOptions, options);
  const β = param("beta", given.beta ?? 0.1);
  return pairwise({
    name: "halos-dpo",
    options: given,
    reward: summed,
    loss: (x) => neg(logSigmoid(β.times(x))),
    scale: β,
    source: "Rafailov et al. 2023, arXiv 2305.18290, equation 7",
  });
}

/**
 * −(1 − ε) log σ(β(h_w − h_l)) − ε log σ(−β(h_w − h_l)), h as in `halosDpo`
 *
 * HALOs, train/trainers.py, `CDPOTrainer.loss`.
 */
export function halosCdpo(options: HalosCdpoOptions = {}): PairwiseObjective {
  const given = checkOptions("halos-cdpo", halosCdpoOptions, options);
  const [β, ε] = [
    param("beta", given.beta ?? 0.1),
    param("epsilon", given.epsilon ?? 0.2, smoothing),
  ];
  return pairwise({
    name: "halos-cdpo",
    options: given,
    reward: summed,
    loss: (x) => logistic(β.times(x), ε),
    scale: β,
    source: "Mitchell 2023, a note on DPO with noisy preferences",
  });
}

/**
 * (h_w − h_l − 1/(2τ))², h averaged over the tokens whose log-ratio is not 0
 *
 * HALOs, train/trainers.py, `IPOTrainer.loss`. Where no token's is, the source divides by 0; here h is 0.
 */
export function halosIpo(options: HalosIpoOptions = {}): PairwiseObjective {
  const given = checkOptions("halos-ipo", halosIpoOptions, options);
  const τ = param("tau", given.tau ?? 0.1);
  return pairwise({
    name: "halos-ipo",
    options: given,
    reward: averaged,
    loss: (x) => square(x.minus(constant(0.5).over(τ))),
    scale: constant(1),
    source: "Azar et al. 2023, arXiv 2310.12036",
  });
}

/**
 * −log σ(β(A_w − A_l − γ/β)), A the average of log π(y_t) over the tokens where it is not 0
 *
 * HALOs, train/trainers.py, `SimPOTrainer.loss`, whose reference log-probabilities are 0.
 */
export function halosSimpo(options: HalosSimpoOptions = {}): PairwiseObjective {
  const given = checkOptions("halos-simpo", halosSimpoOptions, options);
  const [β, ratio] = [
    param("beta", given.beta ?? 10),
    param("gamma_beta_ratio", given.gamma_beta_ratio ?? 0.3),
  ];
  const inner = pairwise({
    name: "halos-simpo",
    options: given,
    reward: averaged,
    loss: (x) => neg(logSigmoid(β.times(x.minus(ratio)))),
    scale: constant(1),
    source: "Meng et al. 2024, arXiv 2405.14734, equation 6",
  });
  return named("halos-simpo", referenceFree(inner));
}
