// How the elementwise operators of the core are written in WGSL: on single floats, where a row of logits streams by,
// and on pairs of floats (kernels/prelude/pair.wgsl), where a row program adds up a batch. In pairs a log-probability
// of −400 keeps twice the digits, which an exponential of it would otherwise lose. The spellings are in the rows of the
// operators (core/operators); one that is made of other operators is a node again, which the caller emits in its place.

import type { Binary, Const, Node, Unary } from "../core/node.ts";
import { binaryOps, unaryOps } from "../core/ops.ts";
import type { Spelling } from "../core/operators/row.ts";
import { nodes } from "../core/smart.ts";
import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

export interface Arithmetic {
  constant(node: Const): Value;
  /** The operator as the kernel's own function of these values, or what it is in terms of others. */
  apply(node: Unary | Binary, args: readonly Value[]): Value | Node;
}

const exact = ({ value, dtype }: Const): Value | null => {
  if (dtype === "i32") return k.value("i32", `${value}i`);
  return dtype === "bool" ? k.value("bool", value === 1 ? "true" : "false") : null;
};

/** What an operator is made of, as nodes; null where its row has a function or a sign for it. */
function formOf(node: Unary | Binary, column: "single" | "pair"): Node | null {
  if (node.tag === "unary") {
    const row = unaryOps[node.op];
    const spelling = row[column] ?? row.definition;
    return typeof spelling === "function" ? spelling(nodes, ...node.args) : null;
  }
  const row = binaryOps[node.op];
  const spelling = row[column] ?? row.definition;
  return typeof spelling === "function" ? spelling(nodes, ...node.args) : null;
}

function spell(node: Unary | Binary, column: "single" | "pair", args: readonly Value[]): Value {
  const row = node.tag === "unary" ? unaryOps[node.op] : binaryOps[node.op];
  const spelling = row[column] as Exclude<Spelling<never>, never>;
  const type = column === "pair" && node.dtype === "f32" ? "pair" : node.dtype;
  if ("call" in spelling) return k.call(spelling.call, type, ...args);
  const [a, b] = args.map(({ code }) => code);
  return k.value(type, b === undefined ? `(${spelling.sign}${a})` : `(${a} ${spelling.sign} ${b})`);
}

export const singles: Arithmetic = {
  constant: (node) => exact(node) ?? k.f32(node.value),
  apply: (node, args) => formOf(node, "single") ?? spell(node, "single", args),
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

export const pairs: Arithmetic = {
  constant: (node) => exact(node) ?? pairOf(node.value),
  apply: (node, args) => {
    if (args[0]!.type === "pair") return formOf(node, "pair") ?? spell(node, "pair", args);
    // whole numbers and truth values have no rounding
    const plain = spell(node, "single", args);
    return node.dtype === "f32" ? widened(plain) : plain;
  },
};
