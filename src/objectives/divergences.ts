// f-DPO: the reverse KL divergence that holds the policy to the reference, replaced by another one. A divergence is a
// function of the log-ratio, s = f′(π/π_ref) with f′(1) = 0, and a loss of scores is had for another divergence by handing
// it other scores.

import {
  abs,
  constant,
  exp,
  expm1,
  logSigmoid,
  maximum,
  minimum,
  neg,
  param,
  PrefcError,
  relu,
  stopGrad,
  where,
} from "../dsl/index.ts";
import type { Expr, PerExample } from "../dsl/index.ts";
import { describe } from "../dsl/check.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import type { PairwiseObjective } from "./pairwise.ts";
import { changed, rescored, scoresOf } from "./scores.ts";

type Score = Expr<PerExample>;

/** What a divergence makes of log-ratios. */
export interface Divergence {
  /** TRL's f_divergence_type. */
  readonly name: string;
  /** s(h), which is 0 at h = 0. */
  readonly score: (h: Score) => Score;
  /** s(h) less a constant: what TRL had from 0.29 to 1.9. The same as `score` where it is absent. */
  readonly bare?: (h: Score) => Score;
  /** s(h_w) − s(h_l), where there is a form that neither cancels nor overflows. */
  readonly difference?: (w: Score, l: Score) => Score;
}

/** s(h) = h: DPO itself. */
export const reverseKl: Divergence = { name: "reverse_kl", score: (h) => h };

/** s(h) = log 2 + log σ(h) = log(2u / (1 + u)) with u = eʰ */
export const jsDivergence: Divergence = {
  name: "js_divergence",
  score: (h) => logSigmoid(h).plus(Math.LN2),
  bare: logSigmoid,
};

/**
 * d·eᵐ for a d that may be 0. In single precision eᵐ is infinite from m = 89 on, and 0 times it undefined, also in the
 * gradient; so what m is above 80 comes in eight more factors, each of which is finite as long as eᵐ is one of float64.
 */
const timesExponential = (d: Score, m: Score): Score => {
  const beyond = exp(relu(m.minus(80)).over(8));
  const factors = [exp(minimum(m, 80)), ...Array.from({ length: 8 }, () => beyond)];
  return factors.reduce((product, factor) => product.times(factor), d);
};

/** eˣ, with the gradient in the same factors. */
const exponential = (x: Score): Score => timesExponential(exp(x.minus(stopGrad(x))), stopGrad(x));

/** eᵃ − eᵇ from e^m (expm1(a − m) − expm1(b − m)), m the larger: no infinity less another one, no rounding at a = b. */
const differenceOfExponentials = (a: Score, b: Score): Score => {
  const m = stopGrad(maximum(a, b));
  return timesExponential(expm1(a.minus(m)).minus(expm1(b.minus(m))), m);
};

/** s(h) = 1 − e⁻ʰ = 1 − 1/u */
export const forwardKl: Divergence = {
  name: "forward_kl",
  score: (h) => neg(differenceOfExponentials(neg(h), constant(0))),
  bare: (h) => neg(exponential(neg(h))),
  difference: (w, l) => differenceOfExponentials(neg(l), neg(w)),
};

/** Which α-divergence, and how far its exponential may go. */
export interface AlphaOptions {
  /** α; 0.5. At 1 it is the reverse KL divergence, at 0 the forward one. */
  readonly f_alpha_divergence_coef?: number;
  /** The largest exponent; beyond it the gradient is 0. 80, TRL's for float32 and bfloat16. */
  readonly largest?: number;
  /** Whether the coefficient is α, or 1 − α as TRL meant by it up to 0.28; "alpha". */
  readonly meaning?: "alpha" | "one-minus-alpha";
}

const alphaOptions: OptionKinds = {
  f_alpha_divergence_coef: "number",
  largest: "number",
  meaning: ["alpha", "one-minus-alpha"],
};

/** s(h) = (e^{(α − 1) h} − 1) / (α − 1) = (u^{α−1} − 1) / (α − 1), and h where |α − 1| < 10⁻⁶. */
export function alphaDivergence(options: AlphaOptions = {}): Divergence {
  const {
    f_alpha_divergence_coef = 0.5,
    largest = 80,
    meaning = "alpha",
  } = checkOptions("alphaDivergence", alphaOptions, options);
  const coefficient = param("f_alpha_divergence_coef", f_alpha_divergence_coef);
  const a = meaning === "alpha" ? coefficient.minus(1) : neg(coefficient);
  const isReverseKl = abs(a).lt(1e-6);
  // where both sides are computed, so neither may divide by 0
  const divisor = where(isReverseKl, 1, a);
  const exponent = (h: Score): Score => {
    const x = a.times(h);
    return where(x.gt(largest), largest, x);
  };
  return {
    name: "alpha_divergence",
    score: (h) =>
      where(isReverseKl, h, differenceOfExponentials(exponent(h), constant(0)).over(divisor)),
    bare: (h) => where(isReverseKl, h, exponential(exponent(h)).over(divisor)),
    difference: (w, l) =>
      where(
        isReverseKl,
        w.minus(l),
        differenceOfExponentials(exponent(w), exponent(l)).over(divisor),
      ),
  };
}

/** The same without the constant that makes a score 0 where policy and reference agree. */
export const withoutConstant = (divergence: Divergence): Divergence => ({
  ...requireDivergence("withoutConstant", divergence),
  score: divergence.bare ?? divergence.score,
});

/** @throws PrefcError argument-kind */
function requireDivergence(where: string, divergence: Divergence): Divergence {
  if (typeof divergence?.score === "function") return divergence;
  throw new PrefcError(
    "argument-kind",
    `${where}: the divergence is ${describe(divergence)}; give one such as forwardKl or alphaDivergence({ f_alpha_divergence_coef: 0.5 }).`,
  );
}

/**
 * The loss of scores under another divergence.
 *
 * Wang et al. 2024 (arXiv 2309.16240), as TRL 1.16.0 computes it: trl/trainer/dpo_trainer.py, `f_divergence_type`.
 * @throws PrefcError combination-without-effect where the loss reads no scores, such as sft and apo_zero.
 */
export function withDivergence(
  divergence: Divergence,
): (inner: PairwiseObjective) => PairwiseObjective {
  const { name, score, difference } = requireDivergence("withDivergence", divergence);
  return (inner) =>
    name === reverseKl.name
      ? inner
      : changed(
          inner,
          {
            combinator: "withDivergence",
            what: "another divergence, because it does not read scores",
            name: `${inner.name} ${name}`,
            source: "divergence: Wang et al. 2024, arXiv 2309.16240",
          },
          (g) =>
            inner.define(
              rescored(g, ({ w, l }) => ({
                ...scoresOf(score(w), score(l)),
                ...(difference === undefined ? {} : { difference: difference(w, l) }),
              })),
            ),
        );
}
