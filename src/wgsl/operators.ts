// How the operators of a kernel are written in WGSL. Those of the core are spelled in their rows (core/operators), once for
// single floats and once for pairs; what only a kernel has is spelled here.

import type { Algebra, Form1, Form2, Spelling } from "../core/operators/row.ts";
import { binaryOps, unaryOps, type BinaryOp, type UnaryOp } from "../core/ops.ts";
import { algebraOf } from "../kernel/algebra.ts";
import type { KernelBinary, KernelUnary, Scalar, Value } from "../kernel/kernel.ts";

/** A sign before or between operands, the name of a function, or what the operator is in terms of others. */
export type Written =
  | { readonly sign: string }
  | { readonly call: string }
  | { readonly as: Value };

const own: Readonly<
  Record<Exclude<KernelUnary, UnaryOp> | Exclude<KernelBinary, BinaryOp>, string>
> = {
  bitNot: "~",
  remainder: "%",
  bitAnd: "&",
  bitOr: "|",
  shiftLeft: "<<",
  shiftRight: ">>",
};
const isOwn = (op: string): op is keyof typeof own => Object.hasOwn(own, op);

const columnOf = (type: Scalar): "single" | "pair" => (type === "pair" ? "pair" : "single");
const algebra = (type: Scalar): Algebra<Value> => algebraOf(columnOf(type));

export function unaryOf(op: KernelUnary, of: Value): Written {
  if (isOwn(op)) return { sign: own[op] };
  const row = unaryOps[op];
  const spelling: Spelling<Form1> | undefined = row[columnOf(of.type)] ?? row.definition;
  if (typeof spelling === "function") return { as: spelling(algebra(of.type), of) };
  return spelling!; // a row has a spelling or a definition, which its spec holds
}

export function binaryOf(op: KernelBinary, left: Value, right: Value): Written {
  if (isOwn(op)) return { sign: own[op] };
  const row = binaryOps[op];
  const spelling: Spelling<Form2> | undefined = row[columnOf(left.type)] ?? row.definition;
  if (typeof spelling === "function") return { as: spelling(algebra(left.type), left, right) };
  return spelling!;
}
