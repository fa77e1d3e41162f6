// Every operator of two operands, by its name: arithmetic, extrema, comparisons and logic.

import { expUnits, flushed, unit, units2 } from "./precision.ts";
import type { Algebra, BinaryRow, Domain, Interval, MethodRow, Signature } from "./row.ts";

const everywhere: readonly [Domain, Domain] = [{}, {}];
const sample: readonly [Interval, Interval] = [
  [-5, 5],
  [-5, 5],
];
const real: Signature = { from: ["f32"], to: "f32" };

const arithmetic = {
  from: ["f32", "i32"],
  to: null,
  method: "arithmetic",
  domain: everywhere,
  sample,
  rank: 140,
  // of the operands, not of the result: a compiler may add up in another order
  rounding: units2((a, b) => Math.abs(a) + Math.abs(b)),
} as const;

export const plus: MethodRow<"arithmetic"> = {
  ...arithmetic,
  infix: { symbol: "+", strength: "sum" },
  reference: (a, b) => a + b,
  derivative: (k) => [k.constant(1), k.constant(1)],
  commutes: true,
  single: { sign: "+" },
  pair: { call: "pair_plus" },
};

export const minus: MethodRow<"arithmetic"> = {
  ...arithmetic,
  infix: { symbol: "-", strength: "sum" },
  reference: (a, b) => a - b,
  derivative: (k) => [k.constant(1), k.constant(-1)],
  single: { sign: "-" },
  pair: { call: "pair_minus" },
};

export const times: MethodRow<"arithmetic"> = {
  ...arithmetic,
  ...real,
  infix: { symbol: "*", strength: "product" },
  rank: 160,
  // a factor 0 makes the product 0, whatever the other is: 0 · log 0 = 0 (docs/notes)
  reference: (a, b) => (a === 0 || b === 0 ? 0 : a * b),
  derivative: (_k, a, b) => [b, a],
  commutes: true,
  single: { sign: "*" },
  pair: { call: "pair_times" },
  rounding: {
    single: (a, b, y) => (a === 0 || b === 0 ? 0 : unit.single * Math.abs(y) + flushed),
    pair: (a, b, y) => (a === 0 || b === 0 ? 0 : unit.pair * Math.abs(y) + flushed),
  },
};

export const over: MethodRow<"arithmetic"> = {
  ...arithmetic,
  ...real,
  infix: { symbol: "/", strength: "product" },
  rank: 150,
  reference: (a, b) => a / b,
  derivative: (k, _a, b, y) => [k.over(k.constant(1), b), k.neg(k.over(y, b))],
  domain: [{}, { except: 0 }],
  sample: [
    [-5, 5],
    [0.1, 5],
  ],
  single: { sign: "/" },
  pair: { call: "pair_over" },
  rounding: units2((_a, _b, y) => 2.5 * Math.abs(y)),
};

/** Inherited from exp2(b · log2 a). */
const powExponent = (a: number, b: number): number => Math.abs(b * Math.log(a));

export const pow: BinaryRow = {
  ...real,
  says: "aᵇ, for a > 0, and for a < 0 where b is a whole number.",
  rank: 190,
  reference: (a, b) => a ** b,
  derivative: (k, a, b, y) => [
    k.times(b, k.pow(a, k.minus(b, k.constant(1)))),
    k.times(y, k.log(a)),
  ],
  // smooth in both operands; tests of a negative base choose a whole exponent themselves
  domain: [{ above: 0 }, {}],
  sample: [
    [0.1, 5],
    [-5, 5],
  ],
  single: { call: "power" },
  pair: { call: "pair_pow" },
  rounding: {
    single: (a, b, y) => {
      const e = powExponent(a, b);
      return (Math.abs(b) * 2 ** -20 + (3 * e + expUnits(e)) * unit.single) * Math.abs(y) + flushed;
    },
    pair: (a, b, y) => (2 ** -26 + powExponent(a, b) * 2 ** -29) * Math.abs(y) + flushed,
  },
};

/** Weight of the first operand of an extremum: 1, 0, or a half each at a tie, as in PyTorch. */
const share = <V>(k: Algebra<V>, first: V, second: V): V =>
  k.select(
    k.gt(first, second),
    k.constant(1),
    k.select(k.eq(first, second), k.constant(0.5), k.constant(0)),
  );
const extremum = {
  ...real,
  rank: 100,
  domain: everywhere,
  sample,
  jumpsAtTies: true,
  commutes: true,
  rounding: null,
} as const;

export const minimum: BinaryRow = {
  ...extremum,
  says: "The smaller of two values; at a tie each receives half of the gradient.",
  reference: Math.min,
  derivative: (k, a, b) => [share(k, b, a), share(k, a, b)],
  single: { call: "min" },
  pair: { call: "pair_min" },
};

export const maximum: BinaryRow = {
  ...extremum,
  says: "The larger of two values; at a tie each receives half of the gradient.",
  reference: Math.max,
  derivative: (k, a, b) => [share(k, a, b), share(k, b, a)],
  single: { call: "max" },
  pair: { call: "pair_max" },
};

const comparison = {
  from: ["f32", "i32"],
  to: "bool",
  method: "comparison",
  rank: 60,
  derivative: null,
  domain: everywhere,
  sample,
  jumpsAtTies: true,
  rounding: null,
} as const;

export const gt: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: ">", strength: "comparison" },
  reference: (a, b) => Number(a > b),
  single: { sign: ">" },
  pair: (k, a, b) => k.lt(b, a),
};

export const ge: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: ">=", strength: "comparison" },
  reference: (a, b) => Number(a >= b),
  single: { sign: ">=" },
  pair: (k, a, b) => k.not(k.lt(a, b)),
};

export const lt: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: "<", strength: "comparison" },
  reference: (a, b) => Number(a < b),
  single: { sign: "<" },
  pair: { call: "pair_less" },
};

export const le: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: "<=", strength: "comparison" },
  reference: (a, b) => Number(a <= b),
  single: { sign: "<=" },
  pair: (k, a, b) => k.not(k.lt(b, a)),
};

export const eq: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: "==", strength: "comparison" },
  reference: (a, b) => Number(a === b),
  commutes: true,
  single: { sign: "==" },
  pair: { call: "pair_equal" },
};

export const ne: MethodRow<"comparison"> = {
  ...comparison,
  infix: { symbol: "!=", strength: "comparison" },
  reference: (a, b) => Number(a !== b),
  commutes: true,
  single: { sign: "!=" },
  pair: (k, a, b) => k.not(k.eq(a, b)),
};

const logical = {
  from: ["bool"],
  to: "bool",
  method: "logical",
  rank: 70,
  derivative: null,
  domain: everywhere,
  sample: [
    [0, 1],
    [0, 1],
  ],
  commutes: true,
  rounding: null,
} as const;

export const and: MethodRow<"logical"> = {
  ...logical,
  infix: { symbol: "&&", strength: "and" },
  reference: (a, b) => a * b,
  single: { sign: "&&" },
};

export const or: MethodRow<"logical"> = {
  ...logical,
  infix: { symbol: "||", strength: "or" },
  reference: (a, b) => Math.max(a, b),
  single: { sign: "||" },
};

export const clampedExp: BinaryRow = {
  ...real,
  says: "e to the smaller of x and a bound, as TRL's cap_exp; beyond the bound x has no gradient, at it x has all.",
  rank: 135,
  reference: (x, most) => Math.exp(Math.min(x, most)),
  derivative: (k, x, most, y) => {
    const isBeyond = k.gt(x, most);
    return [k.select(isBeyond, k.constant(0), y), k.select(isBeyond, y, k.constant(0))];
  },
  domain: everywhere,
  sample,
  jumpsAtTies: true,
  definition: (k, x, most) => k.exp(k.select(k.gt(x, most), most, x)),
};
