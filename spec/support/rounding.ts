// How far one operation may be off by itself, as WGSL and the row programs of prefc promise it. Everything along the
// vocabulary is computed in single floats, with the errors that the WGSL specification states ("Floating point accuracy");
// everything beside it in pairs of floats (kernels/prelude/pair*.wgsl state theirs). docs/notes/0013 gives the reasons.
import type { BinaryOp, UnaryOp } from "../../src/core/ops.ts";

export type Precision = "single" | "pair";

/** One unit in the last place of a single float, relative to its value; a pair keeps 2^-44 of its operands. */
export const unit: Readonly<Record<Precision, number>> = { single: 2 ** -23, pair: 2 ** -44 };
/** What a single float loses of a number: half a unit. */
export const rounded: number = 2 ** -24;
/** Every operation may flush what is subnormal. */
export const flushed: number = 2 ** -126;

/** WGSL: 3 + 2|x| units. */
const expUnits = (x: number): number => 3 + 2 * Math.abs(x);

/** Of prefc's own functions over single floats: made of one exponential or logarithm and at most five operations. */
const singles: Readonly<Partial<Record<UnaryOp, (x: number, y: number) => number>>> = {
  exp: (x, y) => expUnits(x) * unit.single * y,
  // WGSL: 2^-21 absolutely within [0.5, 2], 3 units elsewhere
  log: (x, y) => (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * unit.single * Math.abs(y)),
  // the series where |p| is small: a quotient of 2.5 units and eight operations, most of them on small terms
  log1p: (x, y) =>
    (x > -0.5 && x < 1 ? 8 : 16) * unit.single * Math.max(Math.abs(y), x < 1 ? 0 : 2 ** -2),
  // a series cut off at 5e-8, and e^x − 1 where that is at least a third of its operands
  expm1: (x, y) =>
    Math.abs(x) < 0.5
      ? 8 * unit.single * Math.abs(y)
      : expUnits(x) * unit.single * (Math.abs(y) + 1),
  sigmoid: (x, y) => (expUnits(x) + 4) * unit.single * y,
  logSigmoid: (x, y) => (expUnits(x) + 10) * unit.single * Math.abs(y),
  log1mExp: (x, y) => (expUnits(x) + 20) * unit.single * Math.max(Math.abs(y), x > -1 ? 1 : 0),
  square: (_x, y) => unit.single * y,
  // inherited from 1 / inverseSqrt: 2 units, and 2.5 of the quotient
  sqrt: (_x, y) => 5 * unit.single * y,
};

const pairs: Readonly<Partial<Record<UnaryOp, (x: number, y: number) => number>>> = {
  // e^r by a polynomial whose second part is a single float: below 2^-27
  exp: (_x, y) => 2 ** -26 * y,
  log: (_x, y) => 2 ** -29 * Math.abs(y) + 2 ** -44,
  log1p: (_x, y) => 2 ** -29 * Math.abs(y),
  expm1: (_x, y) => 2 ** -24 * Math.abs(y),
  sigmoid: (_x, y) => 2 ** -25 * y,
  logSigmoid: (_x, y) => 2 ** -25 * Math.abs(y),
  log1mExp: (_x, y) => 2 ** -24 * Math.min(1, 2 * Math.abs(y)) + 2 ** -29 * Math.abs(y),
  square: (_x, y) => unit.pair * y,
  sqrt: (_x, y) => 2 ** -40 * y,
};

/** What an operation of one operand x with the value y adds to the error. */
export function unaryRounding(op: UnaryOp, precision: Precision, x: number, y: number): number {
  const row = (precision === "single" ? singles : pairs)[op];
  // changes of sign, comparisons and conversions are exact
  return row === undefined ? 0 : row(x, y) + flushed;
}

/** What an operation of two operands with the value y adds to the error. */
export function binaryRounding(
  op: BinaryOp,
  precision: Precision,
  [a, b]: readonly [number, number],
  y: number,
): number {
  const ulp = unit[precision];
  switch (op) {
    case "plus":
    case "minus":
      // of the operands, not of the result: a compiler may add up in another order
      return ulp * (Math.abs(a) + Math.abs(b)) + flushed;
    case "times":
      return y === 0 && (a === 0 || b === 0) ? 0 : ulp * Math.abs(y) + flushed;
    case "over":
      return 2.5 * ulp * Math.abs(y) + flushed;
    case "pow": {
      // inherited from exp2(b · log2 a)
      const exponent = Math.abs(b * Math.log(a));
      const off =
        precision === "single"
          ? Math.abs(b) * 2 ** -20 + (3 * exponent + expUnits(exponent)) * unit.single
          : 2 ** -26 + exponent * 2 ** -29;
      return off * Math.abs(y) + flushed;
    }
    case "minimum":
    case "maximum":
    case "gt":
    case "ge":
    case "lt":
    case "le":
    case "eq":
    case "ne":
    case "and":
    case "or":
      return 0;
  }
}
