// What WGSL and the row programs of prefc promise of one operation: the units in which the rows of the table state how far
// a float may be off. Everything along the vocabulary is computed in single floats, with the errors that the WGSL
// specification states ("Floating point accuracy"); everything beside it in pairs of floats, whose functions
// (kernels/prelude/pair*.wgsl) state theirs. docs/notes/0013 gives the reasons.

import type { Bound1, Bound2, Rounding } from "./row.ts";

export type Precision = "single" | "pair";

/** One unit in the last place of a single float, relative to its value; a pair keeps 2^-44 of its operands. */
export const unit: Readonly<Record<Precision, number>> = { single: 2 ** -23, pair: 2 ** -44 };
/** Every operation may flush what is subnormal. */
export const flushed: number = 2 ** -126;

/** WGSL's exponential: 3 + 2|x| units. */
export const expUnits = (x: number): number => 3 + 2 * Math.abs(x);

/** A bound of one operand for each precision; what is flushed comes on top. */
export const off1 = (single: Bound1, pair: Bound1): Rounding<Bound1> => ({
  single: (x, y) => single(x, y) + flushed,
  pair: (x, y) => pair(x, y) + flushed,
});
/** A bound of two operands that is so many units of the precision, given the size that a unit is measured against. */
export const units2 = (size: Bound2): Rounding<Bound2> => ({
  single: (a, b, y) => unit.single * size(a, b, y) + flushed,
  pair: (a, b, y) => unit.pair * size(a, b, y) + flushed,
});
