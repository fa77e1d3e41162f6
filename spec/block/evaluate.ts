// The meaning of an expression of the block level in float64, given its leaves.
import { binaryOps, unaryOps } from "../../src/core/ops.ts";
import type { Node } from "../../src/core/node.ts";

export function valueOf(node: Node, leaves: ReadonlyMap<Node, number>): number {
  const known = leaves.get(node);
  if (known !== undefined) return known;
  const of = (arg: Node): number => valueOf(arg, leaves);
  switch (node.tag) {
    case "const":
      return node.value;
    case "unary":
      return unaryOps[node.op].reference(of(node.args[0]));
    case "binary":
      return binaryOps[node.op].reference(of(node.args[0]), of(node.args[1]));
    case "select":
      return of(node.args[0]) !== 0 ? of(node.args[1]) : of(node.args[2]);
    default:
      throw new Error(`no value is known for ${node.tag}`);
  }
}
