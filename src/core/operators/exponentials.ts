// The exponential, the logarithm and what is made of them.

import { expUnits, off1, unit } from "./precision.ts";
import type { Domain, Form1, Signature, UnaryRow } from "./row.ts";

const real: Signature & { readonly to: "f32" } = { from: ["f32"], to: "f32" };
const everywhere: Domain = {};

/** log(1 − e^x) for x < 0, by the branch that does not cancel. */
const logOneMinusExp = (x: number): number =>
  x < -Math.LN2 ? Math.log1p(-Math.exp(x)) : Math.log(-Math.expm1(x));
const logistic = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

/** With e = e^(−2|x|) − 1, which lies in (−1, 0], tanh |x| is −e / (2 + e). */
const tanhOfSize: Form1 = (k, x) => {
  const e = k.expm1(k.times(k.constant(-2), k.abs(x)));
  return k.times(k.sign(x), k.over(k.neg(e), k.plus(k.constant(2), e)));
};

export const exp: UnaryRow = {
  ...real,
  says: "eˣ",
  rank: 130,
  reference: Math.exp,
  derivative: (_k, _x, y) => y,
  domain: everywhere,
  sample: [-30, 30],
  single: { call: "exp" },
  pair: { call: "pair_exp" },
  // in pairs e^r by a polynomial whose second part is a single float: below 2^-27
  rounding: off1(
    (x, y) => expUnits(x) * unit.single * y,
    (_x, y) => 2 ** -26 * y,
  ),
};

export const log: UnaryRow = {
  ...real,
  says: "The natural logarithm, for x > 0.",
  rank: 180,
  reference: Math.log,
  derivative: (k, x) => k.over(k.constant(1), x),
  domain: { above: 0 },
  sample: [1e-3, 1e3],
  single: { call: "natural_log" },
  pair: { call: "pair_log" },
  // WGSL: 2^-21 absolutely within [0.5, 2], 3 units elsewhere
  rounding: off1(
    (x, y) => (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * unit.single * Math.abs(y)),
    (_x, y) => 2 ** -29 * Math.abs(y) + 2 ** -44,
  ),
};

export const log1p: UnaryRow = {
  ...real,
  says: "log(1 + x), precise near 0.",
  rank: 120,
  reference: Math.log1p,
  derivative: (k, x) => k.over(k.constant(1), k.plus(k.constant(1), x)),
  domain: { above: -1 },
  sample: [-0.9, 1e3],
  single: { call: "log1p" },
  pair: { call: "pair_log1p" },
  // the series where |p| is small: a quotient of 2.5 units and eight operations, most of them on small terms
  rounding: off1(
    (x, y) =>
      (x > -0.5 && x < 1 ? 8 : 16) * unit.single * Math.max(Math.abs(y), x < 1 ? 0 : 2 ** -2),
    (_x, y) => 2 ** -29 * Math.abs(y),
  ),
};

export const expm1: UnaryRow = {
  ...real,
  says: "eˣ − 1, precise near 0.",
  rank: 120,
  reference: Math.expm1,
  derivative: (k, x) => k.exp(x),
  domain: everywhere,
  sample: [-30, 30],
  single: { call: "expm1" },
  pair: { call: "pair_expm1" },
  // a series cut off at 5e-8, and e^x − 1 where that is at least a third of its operands
  rounding: off1(
    (x, y) =>
      Math.abs(x) < 0.5
        ? 8 * unit.single * Math.abs(y)
        : expUnits(x) * unit.single * (Math.abs(y) + 1),
    (_x, y) => 2 ** -24 * Math.abs(y),
  ),
};

export const sigmoid: UnaryRow = {
  ...real,
  says: "σ(x) = 1 / (1 + e⁻ˣ)",
  rank: 110,
  reference: logistic,
  // σ' = σ(x) σ(−x): the form that keeps its precision for large x
  derivative: (k, x, y) => k.times(y, k.sigmoid(k.neg(x))),
  domain: everywhere,
  sample: [-30, 30],
  single: { call: "sigmoid" },
  pair: { call: "pair_sigmoid" },
  rounding: off1(
    (x, y) => (expUnits(x) + 4) * unit.single * y,
    (_x, y) => 2 ** -25 * y,
  ),
};

export const logSigmoid: UnaryRow = {
  ...real,
  says: "log σ(x), finite for every finite x.",
  rank: 110,
  reference: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  derivative: (k, x) => k.sigmoid(k.neg(x)),
  domain: everywhere,
  sample: [-30, 30],
  single: { call: "log_sigmoid" },
  pair: { call: "pair_log_sigmoid" },
  rounding: off1(
    (x, y) => (expUnits(x) + 10) * unit.single * Math.abs(y),
    (_x, y) => 2 ** -25 * Math.abs(y),
  ),
};

export const log1mExp: UnaryRow = {
  ...real,
  says: "log(1 − eˣ) for x < 0, by the branch that does not cancel.",
  rank: 110,
  reference: logOneMinusExp,
  // d log(1 − e^x) / dx = −1 / (e^{−x} − 1)
  derivative: (k, x) => k.over(k.constant(-1), k.expm1(k.neg(x))),
  domain: { below: 0 },
  sample: [-30, -1e-3],
  single: { call: "log1m_exp" },
  pair: { call: "pair_log1m_exp" },
  rounding: off1(
    (x, y) => (expUnits(x) + 20) * unit.single * Math.max(Math.abs(y), x > -1 ? 1 : 0),
    (_x, y) => 2 ** -24 * Math.min(1, 2 * Math.abs(y)) + 2 ** -29 * Math.abs(y),
  ),
};

export const tanh: UnaryRow = {
  ...real,
  says: "The hyperbolic tangent, precise near 0 and exact in both tails.",
  rank: 125,
  reference: Math.tanh,
  // 1 − y² = 4 σ(2x) σ(−2x), of which no digit cancels
  derivative: (k, x) => {
    const twice = k.times(k.constant(2), x);
    return k.times(k.constant(4), k.times(k.sigmoid(twice), k.sigmoid(k.neg(twice))));
  },
  domain: everywhere,
  sample: [-30, 30],
  single: tanhOfSize,
  pair: tanhOfSize,
};

export const softplus: UnaryRow = {
  ...real,
  says: "log(1 + eˣ) = −log σ(−x)",
  rank: 115,
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  derivative: (k, x) => k.sigmoid(x),
  domain: everywhere,
  sample: [-30, 30],
  definition: (k, x) => k.neg(k.logSigmoid(k.neg(x))),
};

export const log2: UnaryRow = {
  ...real,
  says: "The logarithm to base 2, for x > 0: nats as bits.",
  rank: 185,
  reference: Math.log2,
  derivative: (k, x) => k.over(k.constant(Math.LOG2E), x),
  domain: { above: 0 },
  sample: [1e-3, 1e3],
  definition: (k, x) => k.times(k.constant(Math.LOG2E), k.log(x)),
};
