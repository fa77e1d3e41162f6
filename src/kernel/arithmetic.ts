// How the elementwise operators of the core are written in WGSL: on single floats, where a row of logits streams by,
// and on pairs of floats (kernels/prelude/pair.wgsl), where a row program adds up a batch. In pairs a log-probability
// of −400 keeps twice the digits, which an exponential of it would otherwise lose.

import type { Const, Node } from "../core/node.ts";
import { binaryOps, unaryOps, type BinaryOp, type UnaryOp } from "../core/ops.ts";
import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

export interface Arithmetic {
  constant(node: Const): Value;
  unary(op: UnaryOp, x: Value, node: Node): Value;
  binary(op: BinaryOp, a: Value, b: Value, node: Node): Value;
}

const exact = ({ value, dtype }: Const): Value | null => {
  if (dtype === "i32") return k.value("i32", `${value}i`);
  return dtype === "bool" ? k.value("bool", value === 1 ? "true" : "false") : null;
};

export const singles: Arithmetic = {
  constant: (node) => exact(node) ?? k.f32(node.value),
  unary: (op, x, { dtype }) => k.value(dtype, unaryOps[op].wgsl(x.code)),
  binary: (op, a, b, { dtype }) => k.value(dtype, binaryOps[op].wgsl(a.code, b.code)),
};

/** The pair nearest to a number. */
export function pairOf(value: number): Value {
  const high = Math.fround(value);
  return k.value("pair", `vec2<f32>(${k.f32(value).code}, ${k.f32(value - high).code})`);
}
/** A single float as a pair. */
export const widened = (v: Value): Value => k.value("pair", `vec2<f32>(${v.code}, 0.0)`);
/** The single float nearest to a pair. */
export const rounded = (v: Value): Value => (v.type === "pair" ? k.value("f32", `${v.code}.x`) : v);

const pairUnary: Readonly<Record<Exclude<UnaryOp, "neg" | "toReal" | "not">, string>> = {
  exp: "pair_exp",
  log: "pair_log",
  log1p: "pair_log1p",
  expm1: "pair_expm1",
  sigmoid: "pair_sigmoid",
  logSigmoid: "pair_log_sigmoid",
  log1mExp: "pair_log1m_exp",
  relu: "pair_relu",
  abs: "pair_abs",
  sign: "pair_sign",
  square: "pair_square",
  sqrt: "pair_sqrt",
};

const pairBinary = (op: BinaryOp, a: string, b: string): string => {
  switch (op) {
    case "plus":
    case "minus":
    case "times":
    case "over":
    case "pow":
      return `pair_${op}(${a}, ${b})`;
    case "minimum":
      return `pair_min(${a}, ${b})`;
    case "maximum":
      return `pair_max(${a}, ${b})`;
    case "lt":
      return `pair_less(${a}, ${b})`;
    case "gt":
      return `pair_less(${b}, ${a})`;
    case "le":
      return `(!pair_less(${b}, ${a}))`;
    case "ge":
      return `(!pair_less(${a}, ${b}))`;
    case "eq":
      return `pair_equal(${a}, ${b})`;
    case "ne":
      return `(!pair_equal(${a}, ${b}))`;
    case "and":
    case "or":
      return binaryOps[op].wgsl(a, b);
  }
};

export const pairs: Arithmetic = {
  constant: (node) => exact(node) ?? pairOf(node.value),
  unary: (op, x, node) => {
    if (op === "toReal") return widened(k.call("f32", "f32", x));
    if (op === "not") return k.value("bool", unaryOps.not.wgsl(x.code));
    return k.value(typeOf(node), op === "neg" ? `(-${x.code})` : `${pairUnary[op]}(${x.code})`);
  },
  binary: (op, a, b, node) => {
    // whole numbers and truth values have no rounding
    if (a.type !== "pair") return singles.binary(op, a, b, node);
    return k.value(typeOf(node), pairBinary(op, a.code, b.code));
  },
};

const typeOf = ({ dtype }: Node): k.Scalar => (dtype === "f32" ? "pair" : dtype);
