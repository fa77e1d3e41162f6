// Derivatives of the operators that act on one environment at a time: the operator's row (core/operators) gives
// the local derivative, and a contribution is that times the incoming cotangent.

import type { Binary, Node, Unary } from "../core/node.ts";
import { binaryOps, unaryOps } from "../core/ops.ts";
import { nodes, smart } from "../core/smart.ts";

/** What a node passes to each argument, over the node's own index variables; null where nothing flows. */
export type Contributions = readonly (Node | null)[];

export function unaryContributions(node: Unary, cotangent: Node): Contributions {
  const { derivative } = unaryOps[node.op];
  return [
    derivative === null ? null : smart.times(cotangent, derivative(nodes, node.args[0], node)),
  ];
}

export function binaryContributions(node: Binary, cotangent: Node): Contributions {
  const { derivative } = binaryOps[node.op];
  if (derivative === null) return [null, null];
  return derivative(nodes, ...node.args, node).map((partial) => smart.times(cotangent, partial));
}
