// What each operator means with as many digits as are asked for, by decimal.js. The library adds, divides, and takes exponentials
// and logarithms; nothing here calls the rows of src/core/operators, which these meanings are to be a witness for. Functions that
// keep the digits of a small operand take twice the digits while they work, or the first terms of their series.

import { Decimal } from "decimal.js";
import type { BinaryOp, UnaryOp } from "../../src/core/ops.ts";

/** The operators on numbers of so many digits. */
export interface Digits {
  readonly of: (x: Decimal.Value) => Decimal;
  readonly unary: Readonly<Record<UnaryOp, (x: Decimal) => Decimal>>;
  readonly binary: Readonly<Record<BinaryOp, (a: Decimal, b: Decimal) => Decimal>>;
  readonly logSumExp: (values: readonly Decimal[]) => Decimal;
}

/** A library of its own, so that no other user's settings matter; exponents of ten have no end that floats could reach. */
const library = (precision: number): Decimal.Constructor =>
  Decimal.clone({ precision, maxE: 9e15, minE: -9e15, defaults: true });

export function digits(precision: number): Digits {
  const [Plain, Wide] = [library(precision), library(2 * precision + 10)];
  const of = (x: Decimal.Value): Decimal => new Plain(x);
  const [zero, one] = [of(0), of(1)];
  const wide = (x: Decimal): Decimal => new Wide(x);
  /** Whether the third term of a series is lost. */
  const isTiny = (x: Decimal): boolean => !x.isZero() && x.e < -precision;

  const expm1 = (x: Decimal): Decimal =>
    isTiny(x) ? x.plus(x.times(x).div(2)) : of(wide(x).exp().minus(1));
  const log1p = (x: Decimal): Decimal =>
    isTiny(x) ? x.minus(x.times(x).div(2)) : of(wide(x).plus(1).ln());
  const softplus = (x: Decimal): Decimal => Plain.max(x, zero).plus(log1p(x.abs().negated().exp()));
  const logSigmoid = (x: Decimal): Decimal => softplus(x.negated()).negated();
  const tanh = (x: Decimal): Decimal => {
    const e = expm1(x.abs().times(-2));
    const size = e.negated().div(e.plus(2));
    return x.isNegative() ? size.negated() : size;
  };
  const truth = (holds: boolean): Decimal => (holds ? one : zero);
  // as the language has it: 0 · ∞ = 0
  const times = (a: Decimal, b: Decimal): Decimal => (a.isZero() || b.isZero() ? zero : a.times(b));

  return {
    of,
    unary: {
      exp: (x) => x.exp(),
      log: (x) => x.ln(),
      log1p,
      expm1,
      sigmoid: (x) => one.div(x.negated().exp().plus(1)),
      logSigmoid,
      log1mExp: (x) => expm1(x).negated().ln(),
      tanh,
      softplus,
      log2: (x) => x.ln().div(of(2).ln()),
      neg: (x) => x.negated(),
      relu: (x) => Plain.max(x, zero),
      abs: (x) => x.abs(),
      sign: (x) => (x.isZero() ? zero : of(Plain.sign(x))),
      square: (x) => x.times(x),
      sqrt: (x) => x.sqrt(),
      toReal: (x) => x,
      not: (x) => one.minus(x),
    },
    binary: {
      plus: (a, b) => a.plus(b),
      minus: (a, b) => a.minus(b),
      times,
      over: (a, b) => a.div(b),
      pow: (a, b) => (b.isInteger() || a.isZero() ? a.pow(b) : a.ln().times(b).exp()),
      minimum: (a, b) => Plain.min(a, b),
      maximum: (a, b) => Plain.max(a, b),
      gt: (a, b) => truth(a.gt(b)),
      ge: (a, b) => truth(a.gte(b)),
      lt: (a, b) => truth(a.lt(b)),
      le: (a, b) => truth(a.lte(b)),
      eq: (a, b) => truth(a.eq(b)),
      ne: (a, b) => truth(!a.eq(b)),
      and: times,
      or: (a, b) => Plain.max(a, b),
      clampedExp: (x, most) => Plain.min(x, most).exp(),
    },
    logSumExp: (values) => {
      const top = values.reduce((most, x) => (x.gt(most) ? x : most));
      if (!top.isFinite()) return top;
      const others = values.toSpliced(values.indexOf(top), 1);
      // what the others add to the largest, whose own term is 1
      return top.plus(log1p(others.reduce((sum, x) => sum.plus(x.minus(top).exp()), zero)));
    },
  };
}
