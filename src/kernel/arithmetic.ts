// How the elementwise operators of the core are computed: on single floats, where a row of logits streams by, and on pairs
// of floats (docs/notes/0010-pairs.md), where a row program adds up a batch. In pairs a log-probability of −400 keeps twice
// the digits, which an exponential of it would otherwise lose. An operator whose row (core/operators) makes it of others is
// a node again, which the caller emits in its place; any other is an operator of the kernel, on operands of either type.

import type { Binary, Const, Node, Unary } from "../core/node.ts";
import { formOf } from "../core/smart.ts";
import { mayBeInfinite } from "../block/infinite.ts";
import { extremumWithUndefined, productWithInfinite } from "./infinite.ts";
import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

export interface Arithmetic {
  constant(node: Const): Value;
  /** The operator on these values, or what it is in terms of others. */
  apply(node: Unary | Binary, args: readonly Value[]): Value | Node;
}

const applied = (node: Unary | Binary, [a, b]: readonly Value[]): Value => {
  if (node.tag === "binary") return k.binary(node.op, a!, b!);
  return node.op === "toReal" ? k.convert("f32", a!) : k.unary(node.op, a!);
};

/** A single float as a pair. */
export const widened = (v: Value): Value => k.convert("pair", v);
/** The single float nearest to a pair. */
export const rounded = (v: Value): Value => (v.type === "pair" ? k.convert("f32", v) : v);

/** A product of single floats, where 0 · ∞ is 0 as it is everywhere. */
function product({ args: [first, second] }: Binary, [a, b]: readonly Value[]): Value {
  const [isFirst, isSecond] = [mayBeInfinite(first), mayBeInfinite(second)];
  if (isFirst && isSecond) {
    // either may be the one that is 0
    const nothing = k.splat(k.f32(0), a!.lanes);
    const second = k.choose(k.infix(a!, "==", nothing), nothing, b!);
    return k.choose(k.infix(second, "==", nothing), nothing, k.times(a!, b!));
  }
  if (isSecond) return productWithInfinite(a!, b!);
  return isFirst ? productWithInfinite(b!, a!) : k.times(a!, b!);
}

export const singles: Arithmetic = {
  constant: ({ value, dtype }) => (dtype === "f32" ? k.f32(value) : k.literal(dtype, value)),
  apply: (node, args) => {
    if (node.tag === "binary" && node.op === "times") return product(node, args);
    if (node.tag === "binary" && (node.op === "maximum" || node.op === "minimum")) {
      const [a, b] = args as readonly [Value, Value];
      if (node.args.some(mayBeInfinite)) return extremumWithUndefined(node.op, a, b);
    }
    return formOf(node, "single") ?? applied(node, args);
  },
};

export const pairs: Arithmetic = {
  constant: ({ value, dtype }) => (dtype === "f32" ? k.pair(value) : k.literal(dtype, value)),
  apply: (node, args) => {
    if (args[0]!.type === "pair") return formOf(node, "pair") ?? applied(node, args);
    // whole numbers and truth values have no rounding
    const plain = applied(node, args);
    return node.dtype === "f32" ? widened(plain) : plain;
  },
};
