// The names of the operators and the types they take and give. Apart from their meaning (ops.ts), because the
// constructors check types and the derivatives of the operators are made with the constructors.

import type { DType } from "./node.ts";

export type UnaryOp =
  | "neg"
  | "exp"
  | "log"
  | "log1p"
  | "expm1"
  | "sigmoid"
  | "logSigmoid"
  | "log1mExp"
  | "relu"
  | "abs"
  | "sign"
  | "square"
  | "sqrt"
  | "toReal"
  | "not";

export type BinaryOp =
  | "plus"
  | "minus"
  | "times"
  | "over"
  | "pow"
  | "minimum"
  | "maximum"
  | "gt"
  | "ge"
  | "lt"
  | "le"
  | "eq"
  | "ne"
  | "and"
  | "or";

export type ReduceOp = "sum" | "max" | "logSumExp";

export type SortOp = "order" | "rank";

export interface Signature {
  readonly from: readonly DType[];
  /** Result type; null means the type of the operands. */
  readonly to: DType | null;
}

const real: Signature = { from: ["f32"], to: "f32" };
const arithmetic: Signature = { from: ["f32", "i32"], to: null };
const comparison: Signature = { from: ["f32", "i32"], to: "bool" };
const logical: Signature = { from: ["bool"], to: "bool" };

export const unarySignatures: Readonly<Record<UnaryOp, Signature & { readonly to: DType }>> = {
  neg: { from: ["f32"], to: "f32" },
  exp: { from: ["f32"], to: "f32" },
  log: { from: ["f32"], to: "f32" },
  log1p: { from: ["f32"], to: "f32" },
  expm1: { from: ["f32"], to: "f32" },
  sigmoid: { from: ["f32"], to: "f32" },
  logSigmoid: { from: ["f32"], to: "f32" },
  log1mExp: { from: ["f32"], to: "f32" },
  relu: { from: ["f32"], to: "f32" },
  abs: { from: ["f32"], to: "f32" },
  sign: { from: ["f32"], to: "f32" },
  square: { from: ["f32"], to: "f32" },
  sqrt: { from: ["f32"], to: "f32" },
  toReal: { from: ["bool", "i32"], to: "f32" },
  not: { from: ["bool"], to: "bool" },
};

export const binarySignatures: Readonly<Record<BinaryOp, Signature>> = {
  plus: arithmetic,
  minus: arithmetic,
  times: real,
  over: real,
  pow: real,
  minimum: real,
  maximum: real,
  gt: comparison,
  ge: comparison,
  lt: comparison,
  le: comparison,
  eq: comparison,
  ne: comparison,
  and: logical,
  or: logical,
};
