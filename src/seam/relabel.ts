// The same expression of another response: names of inputs and token axes are exchanged, and nothing else. Two terms that
// become one node under it are the same computation on different tokens, which is how equal work is found and stacked.

import { isTokenAxis, responseOf, tokenAxis, type Axis } from "../core/axis.ts";
import * as core from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";

/** Stands for any response in a relabelled term; no response of a user may be called so, since names are not empty. */
export const anyResponse = "";

/** Every node below the roots with `from` replaced by `to` in names of inputs and in token axes. */
export function relabelled(
  roots: readonly Node[],
  from: string,
  to: string,
): ReadonlyMap<Node, Node> {
  const axisOf = (axis: Axis): Axis =>
    isTokenAxis(axis) && responseOf(axis) === from ? tokenAxis(to) : axis;
  const made = new Map<Node, Node>();
  for (const node of topological(roots)) {
    const args = node.args.map((arg) => made.get(arg)!);
    made.set(node, rebuilt(node, args, axisOf, from, to));
  }
  return made;
}

function rebuilt(
  node: Node,
  args: readonly Node[],
  axisOf: (axis: Axis) => Axis,
  from: string,
  to: string,
): Node {
  switch (node.tag) {
    case "input": {
      const { datum } = node;
      if (!("response" in datum) || datum.response !== from) return node;
      return core.input({ ...datum, response: to }, node.axes.map(axisOf), node.dtype);
    }
    case "iota":
      return core.iota(axisOf(node.axis));
    case "count":
      return core.count(axisOf(node.axis));
    case "reduce":
      return core.reduce(node.op, axisOf(node.axis), args[0]!);
    case "at":
      return core.at(args[0]!, axisOf(node.axis), args[1]!);
    case "const":
    case "param":
    case "unary":
    case "binary":
    case "select":
    case "sort":
    case "stop":
      return core.withArgs(node, args);
  }
}
