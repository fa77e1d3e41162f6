// Expressions of a row before they are written: lookups that need no tile of their own, and what lies below terms that are known.

import { at as lookup, binary, substitute } from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";

const isAlong = (node: Node): boolean => node.axes.includes("vocab");

/** The roots with lookups on the left of what is the same for the whole row: (z - c)[y] is z[y] - c. */
export const lookupsLeft = (roots: readonly Node[]): readonly Node[] =>
  substitute(
    roots,
    (node) => {
      if (node.tag !== "at" || node.axis !== "vocab") return node;
      const [body, index] = node.args;
      const shifted =
        body.tag === "binary" &&
        (body.op === "minus" || body.op === "plus") &&
        isAlong(body.args[0]) &&
        !isAlong(body.args[1]);
      return shifted ? binary(body.op, lookup(body.args[0], "vocab", index), body.args[1]) : node;
    },
    topological(roots),
  );

/** The nodes below the roots, arguments first, without what only known ones are made of. */
export function cut(roots: readonly Node[], known: ReadonlyMap<Node, string>): readonly Node[] {
  const reached = new Set<Node>(roots);
  const order = topological(roots);
  for (const node of order.toReversed())
    if (reached.has(node) && !known.has(node)) for (const arg of node.args) reached.add(arg);
  return order.filter((node) => reached.has(node));
}
