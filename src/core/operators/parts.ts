// Signs, sizes, powers and conversions: what is made of the operand without an exponential.

import { off1, unit } from "./precision.ts";
import type { Domain, Signature, UnaryRow } from "./row.ts";

const real: Signature & { readonly to: "f32" } = { from: ["f32"], to: "f32" };
const everywhere: Domain = {};

export const neg: UnaryRow = {
  ...real,
  says: "−x",
  prefix: "-",
  rank: 40,
  reference: (x) => -x,
  derivative: (k) => k.constant(-1),
  domain: everywhere,
  sample: [-30, 30],
  single: { sign: "-" },
  pair: { sign: "-" },
  rounding: null,
};

export const relu: UnaryRow = {
  ...real,
  says: "max(x, 0); its derivative at 0 is 0.",
  rank: 100,
  reference: (x) => Math.max(x, 0),
  // the derivative at the kink is 0, as in PyTorch
  derivative: (k, x) => k.toReal(k.gt(x, k.constant(0))),
  domain: everywhere,
  sample: [-30, 30],
  kinks: [0],
  single: (k, x) => k.maximum(x, k.constant(0)),
  pair: { call: "pair_relu" },
  rounding: null,
};

export const abs: UnaryRow = {
  ...real,
  says: "|x|; its derivative at 0 is 0.",
  rank: 90,
  reference: Math.abs,
  derivative: (k, x) => k.sign(x),
  domain: everywhere,
  sample: [-30, 30],
  kinks: [0],
  single: { call: "abs" },
  pair: { call: "pair_abs" },
  rounding: null,
};

export const sign: UnaryRow = {
  ...real,
  says: "−1, 0 or 1; its derivative is 0.",
  rank: 90,
  reference: Math.sign,
  derivative: (k) => k.constant(0),
  domain: everywhere,
  sample: [-30, 30],
  kinks: [0],
  single: { call: "sign" },
  pair: { call: "pair_sign" },
  rounding: null,
};

export const square: UnaryRow = {
  ...real,
  says: "x²",
  rank: 170,
  reference: (x) => x * x,
  derivative: (k, x) => k.times(k.constant(2), x),
  domain: everywhere,
  sample: [-30, 30],
  single: { call: "square" },
  pair: { call: "pair_square" },
  rounding: off1(
    (_x, y) => unit.single * y,
    (_x, y) => unit.pair * y,
  ),
};

export const sqrt: UnaryRow = {
  ...real,
  says: "√x, for x > 0 where it is differentiated.",
  rank: 170,
  reference: Math.sqrt,
  derivative: (k, _x, y) => k.over(k.constant(0.5), y),
  domain: { from: 0 },
  sample: [1e-3, 1e3],
  single: { call: "square_root" },
  pair: { call: "pair_sqrt" },
  // inherited from 1 / inverseSqrt: 2 units, and 2.5 of the quotient
  rounding: off1(
    (_x, y) => 5 * unit.single * y,
    (_x, y) => 2 ** -40 * y,
  ),
};

export const toReal: UnaryRow = {
  from: ["bool", "i32"],
  to: "f32",
  rank: 50,
  reference: (x) => x,
  derivative: null,
  domain: everywhere,
  sample: [0, 1],
  single: { call: "f32" },
  rounding: null,
};

export const not: UnaryRow = {
  from: ["bool"],
  to: "bool",
  prefix: "!",
  rank: 80,
  reference: (x) => 1 - x,
  derivative: null,
  domain: everywhere,
  sample: [0, 1],
  single: { sign: "!" },
  rounding: null,
};
