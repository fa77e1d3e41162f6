// Where a product of single floats may be 0 · ∞, which the calculus calls 0 (docs/notes/0002-zero-times-infinity.md) and floats
// call no number: an entry whose probability is 0 under both models has the term 0 · log 0. Whoever prints such a product asks
// whether one factor is 0 before the other may be infinite.

import type { Node } from "../core/node.ts";
import { binaryOps, unaryOps, type UnaryOp } from "../core/ops.ts";

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
