// Constant folding: one rule for each operator and type of operand, generated from the operator table, so that folding
// computes exactly what the table says an operator means. A result that is not finite stays unfolded.

import { binary, unary } from "../core/build.ts";
import {
  binaryNames,
  binaryOps,
  unaryNames,
  unaryOps,
  type BinaryOp,
  type UnaryOp,
} from "../core/ops.ts";
import type { DType } from "../core/node.ts";
import { rule, variable, type Rule } from "./rule.ts";

const suffix = (dtype: DType): string => (dtype === "f32" ? "" : `-${dtype}`);

const foldUnary = (op: UnaryOp, dtype: DType): Rule => {
  const row = unaryOps[op];
  const a = variable("a", { dtype, constant: true, domain: row.sample });
  const target = variable("value", { dtype: row.to, constant: true });
  return rule(`fold-${op}${suffix(dtype)}`, unary(op, a), target, {
    compute: [{ target, value: (of) => row.reference(of(a)) }],
  });
};

const foldBinary = (op: BinaryOp, dtype: DType): Rule => {
  const row = binaryOps[op];
  const [first, second] = row.sample;
  const a = variable("a", { dtype, constant: true, domain: first });
  const b = variable("b", { dtype, constant: true, domain: second });
  const target = variable("value", { dtype: row.to ?? dtype, constant: true });
  return rule(`fold-${op}${suffix(dtype)}`, binary(op, a, b), target, {
    compute: [{ target, value: (of) => row.reference(of(a), of(b)) }],
  });
};

export const folding: readonly Rule[] = [
  ...unaryNames.flatMap((op) => unaryOps[op].from.map((dtype) => foldUnary(op, dtype))),
  ...binaryNames.flatMap((op) => binaryOps[op].from.map((dtype) => foldBinary(op, dtype))),
];
