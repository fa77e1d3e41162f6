// What a loss takes from the whole batch and not from one example: the counts and sums that it is divided by, which add up over
// micro-batches and ranks and may be given from outside, and the terms that couple examples, which do not.

import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";

export interface Totals {
  /** Sums and counts over examples that are data to the gradient: given ones make parts of a batch exact. */
  readonly sums: readonly Node[];
  /** Terms of the whole batch that a part of it cannot know; empty for an objective that adds up exactly. */
  readonly coupled: readonly Node[];
}

const isOverBatch = (node: Node): boolean =>
  (node.tag === "reduce" || node.tag === "count" || node.tag === "sort") && node.axis === "batch";

const passes = (node: Node): boolean =>
  node.tag !== "stop" && node.tag !== "sort" && node.dtype === "f32";

/** The nodes below the loss through which the gradient passes: from the loss down, and from an input up. */
function liveNodes(loss: Node, order: readonly Node[]): ReadonlySet<Node> {
  const reached = new Set<Node>([loss]);
  for (const node of order.toReversed())
    if (reached.has(node) && passes(node)) for (const arg of node.args) reached.add(arg);
  const live = new Set<Node>();
  for (const node of order) {
    const own = node.tag === "input" && isDifferentiated(node);
    if (reached.has(node) && (own || (passes(node) && node.args.some((arg) => live.has(arg)))))
      live.add(node);
  }
  return live;
}

/** The sums over examples of which a scalar loss is a linear function: what a part of a batch contributes. */
function linearSums(loss: Node, live: ReadonlySet<Node>): ReadonlySet<Node> {
  const sums = new Set<Node>();
  const stack = [loss];
  const seen = new Set<Node>();
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node) || !live.has(node)) continue;
    seen.add(node);
    if (node.tag === "reduce" && node.op === "sum" && node.axis === "batch") sums.add(node);
    else if (node.tag === "unary" && node.op === "neg") stack.push(...node.args);
    else if (node.tag === "binary") {
      const [a, b] = node.args;
      const linear =
        node.op === "plus" ||
        node.op === "minus" ||
        (node.op === "times" && !(live.has(a) && live.has(b))) ||
        (node.op === "over" && !live.has(b));
      if (linear) stack.push(a, b);
    }
  }
  return sums;
}

/** Sorts what the loss, which is one number, and the next state take from the whole batch. */
export function totalsOf(loss: Node, next: readonly Node[]): Totals {
  const order = topological([loss, ...next]);
  const live = liveNodes(loss, order);
  const own = linearSums(loss, live);
  const above = new Set<Node>();
  const sums: Node[] = [];
  const coupled: Node[] = [];
  for (const node of order) {
    const nested = node.args.some((arg) => above.has(arg));
    if (nested) above.add(node);
    if (!isOverBatch(node) || own.has(node)) continue;
    above.add(node);
    const adds = node.tag === "count" || (node.tag === "reduce" && node.op === "sum");
    const fits = adds && !nested && !live.has(node);
    (fits ? sums : coupled).push(node);
  }
  return { sums, coupled };
}
