// The tables of operators. Each operator of one or two operands is a row of its own, an exported constant of operators/; the
// tables and the types of the names are made of these constants, so that adding an operator is adding its row. Tests hold
// each row to its own columns: derivative, forms and rounding to the meaning, everywhere in its domain.

import * as binaryRows from "./operators/binary.ts";
import type { BinaryRow, UnaryRow } from "./operators/row.ts";
import * as unaryRows from "./operators/unary.ts";

export type UnaryOp = keyof typeof unaryRows;
export type BinaryOp = keyof typeof binaryRows;
export type ReduceOp = "sum" | "max" | "logSumExp";
export type SortOp = "order" | "rank";

export const unaryOps: Readonly<Record<UnaryOp, UnaryRow>> = unaryRows;
export const binaryOps: Readonly<Record<BinaryOp, BinaryRow>> = binaryRows;
export const unaryNames: readonly UnaryOp[] = Object.keys(unaryRows) as UnaryOp[];
export const binaryNames: readonly BinaryOp[] = Object.keys(binaryRows) as BinaryOp[];

/** The operators that are written between their operands, which are methods of expressions of the surface language. */
export type MethodOp<Kind extends string> = {
  [Op in BinaryOp]: (typeof binaryRows)[Op] extends { readonly method: Kind } ? Op : never;
}[BinaryOp];

export interface SortRow {
  /** The permutation of the positions 0 … n − 1, given the values there. */
  readonly reference: (values: ArrayLike<number>) => readonly number[];
  /** What undoes the permutation. */
  readonly inverse: SortOp;
}
export interface ReduceRow {
  readonly identity: number;
  readonly combine: (a: number, b: number) => number;
}

export const reduceOps: Readonly<Record<ReduceOp, ReduceRow>> = {
  sum: { identity: 0, combine: (a, b) => a + b },
  max: { identity: -Infinity, combine: Math.max },
  logSumExp: {
    identity: -Infinity,
    combine: (a, b) => {
      const m = Math.max(a, b);
      return m === -Infinity ? m : m + Math.log1p(Math.exp(Math.min(a, b) - m));
    },
  },
};

/** Positions by ascending value; those of equal values keep their order, so that every engine agrees. */
const order = (values: ArrayLike<number>): readonly number[] =>
  Array.from(values, (_, position) => position).toSorted((i, j) =>
    values[i]! < values[j]! ? -1 : values[i]! > values[j]! ? 1 : i - j,
  );

export const sortOps: Readonly<Record<SortOp, SortRow>> = {
  order: { reference: order, inverse: "rank" },
  // the rank of i is where i comes in the order: the inverse permutation
  rank: { reference: (values) => order(order(values)), inverse: "order" },
};
