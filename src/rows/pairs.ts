// Pairs of responses of a list. Memory holds none of them: a reduction over the other responses is a loop of the invocation that
// needs it, over values that are stored per response. So that it can be, every value over the other responses alone becomes
// one over the responses themselves that is looked up at another row.

import {
  isOtherAxis,
  isPairOf,
  isResponseAxis,
  listAlong,
  otherAxis,
  responseAxis,
  type Axis,
} from "../core/axis.ts";
import { at, iota, reduce, withArgs } from "../core/build.ts";
import { topological, type At, type Node, type Reduce } from "../core/node.ts";

/** Whether a node is a loop over the other responses of an example. */
export const isPairLoop = (node: Node): node is Reduce =>
  node.tag === "reduce" && isOtherAxis(node.axis);

/** Whether a node has a value for each other response, which exists in such a loop only. */
export const isWithinPairs = (node: Node): boolean => node.axes.some(isOtherAxis);

/** Whether a node is the value of another response: `x[response := other]`. */
export const isOtherValue = (node: Node): node is At =>
  node.tag === "at" &&
  isResponseAxis(node.axis) &&
  node.args[1].tag === "iota" &&
  isPairOf(node.axis, node.args[1].axis);

/** What a loop over pairs finds in memory: values of responses and of examples, and those that it looks up. */
export function storedForLoop(loop: Reduce): readonly Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (isOtherValue(node)) found.add(node.args[0]);
    else if (isWithinPairs(node)) node.args.forEach(visit);
    else found.add(node);
  };
  visit(loop.args[0]);
  return [...found];
}

/** The same roots, in which only pairs and what is looked up range over other responses. */
export function withoutOthers(roots: readonly Node[]): readonly Node[] {
  if (!topological(roots).some(isWithinPairs)) return roots;
  const made = new Map<Node, Node>();
  const swapped = new Map<Node, Node>();

  const opposite = (axis: Axis): Axis =>
    isOtherAxis(axis)
      ? responseAxis(listAlong(axis))
      : isResponseAxis(axis)
        ? otherAxis(listAlong(axis))
        : axis;

  /** The same function with both responses of a pair exchanged. */
  const swap = (node: Node): Node => {
    const known = swapped.get(node);
    if (known !== undefined) return known;
    const result = exchanged(node);
    swapped.set(node, result);
    return result;
  };
  const exchanged = (node: Node): Node => {
    if (isOtherValue(node)) return node.args[0];
    if (node.tag === "iota") return iota(opposite(node.axis));
    if (node.tag === "reduce" && opposite(node.axis) !== node.axis)
      return reduce(node.op, opposite(node.axis), swap(node.args[0]));
    if (isWithinPairs(node)) return withArgs(node, node.args.map(swap));
    const axis = node.axes.find(isResponseAxis);
    return axis === undefined ? node : at(node, axis, iota(opposite(axis)));
  };

  const lower = (node: Node): Node => {
    const known = made.get(node);
    if (known !== undefined) return known;
    const result = lowered(node);
    made.set(node, result);
    return result;
  };
  const lowered = (node: Node): Node => {
    // x[other := response]
    if (node.tag === "at" && isOtherAxis(node.axis)) return lower(swap(node.args[0]));
    if (isPairLoop(node) && !node.args[0].axes.some(isResponseAxis))
      return lower(reduce(node.op, opposite(node.axis), swap(node.args[0])));
    const other = node.axes.find(isOtherAxis);
    if (other === undefined || node.axes.some(isResponseAxis) || node.tag === "iota")
      return withArgs(node, node.args.map(lower));
    const own = opposite(other);
    return at(lower(isOtherValue(node) ? node.args[0] : swap(node)), own, iota(other));
  };
  // arguments first, so that no call goes deep
  for (const node of topological(roots)) lower(node);
  return roots.map(lower);
}
