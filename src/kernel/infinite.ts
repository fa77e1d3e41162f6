// Where a product of single floats may be 0 · ∞, which the calculus calls 0 (docs/notes/0002-zero-times-infinity.md) and floats
// call no number: an entry whose probability is 0 under both models has the term 0 · log 0. Products with a factor that
// may be infinite ask whether the other one is 0; all others stay what they are. Pairs of floats always ask.

import type { Node } from "../core/node.ts";
import { binaryOps, unaryOps, type UnaryOp } from "../core/ops.ts";
import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

/** The least normal single float: what is smaller may be flushed to 0 by one operation and not by the next. */
const leastNormal = 2 ** -126;
/** Whether an operator has an end of its domain, where it is infinite or beyond which it is undefined. */
const hasDomain = (op: UnaryOp): boolean => Object.keys(unaryOps[op].domain).length > 0;

/** Whether an operator is finite even for infinite operands. */
const isBounded = (op: UnaryOp): boolean =>
  [Infinity, -Infinity].every((end) => Number.isFinite(unaryOps[op].reference(end)));

const known = new WeakMap<Node, boolean>();

/** Whether a node along the vocabulary may be infinite, or no number, where its leaves are finite. */
export function mayBeInfinite(node: Node): boolean {
  const found = known.get(node);
  if (found !== undefined) return found;
  const made = decided(node);
  known.set(node, made);
  return made;
}

function decided(node: Node): boolean {
  if (node.dtype !== "f32") return false;
  switch (node.tag) {
    case "unary":
      if (isBounded(node.op)) return false;
      return hasDomain(node.op) || mayBeInfinite(node.args[0]);
    case "binary":
      return (
        binaryOps[node.op].domain.some((domain) => Object.keys(domain).length > 0) ||
        node.args.some(mayBeInfinite)
      );
    case "select":
      return mayBeInfinite(node.args[1]) || mayBeInfinite(node.args[2]);
    case "stop":
      return mayBeInfinite(node.args[0]);
    case "const":
    case "param":
    case "input":
    case "iota":
    case "count":
    case "reduce":
    case "at":
    case "sort":
      return false;
  }
}

const isNoNumber = (v: Value): Value => {
  const word = (n: number): Value => k.splat(k.u32(n), v.lanes);
  return k.infix(k.infix(k.bits("u32", v), "&", word(0x7fffffff)), ">", word(0x7f800000));
};

/** The larger or the smaller of two single floats; what is no number is never left out, as a driver may do. */
export function extremumWithUndefined(op: "maximum" | "minimum", a: Value, b: Value): Value {
  return k.choose(isNoNumber(a), a, k.choose(isNoNumber(b), b, k.binary(op, a, b)));
}

/** a · b of single floats, of which `b` may be infinite: 0 where `a` is, whatever `b` is. */
export function productWithInfinite(a: Value, b: Value): Value {
  const isNothing = k.infix(k.unary("abs", a), "<", k.splat(k.f32(leastNormal), a.lanes));
  return k.choose(isNothing, k.splat(k.f32(0), a.lanes), k.times(a, b));
}
