// What is looked up at the label of something computed along the vocabulary is that computation at the label: (2 log π)[y] is
// 2 log π[y]. Written so, a lookup ends at log π itself or at the logits, which are statistics with a name.

import * as core from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";

/** Steps through which a lookup is followed; what lies deeper is left as it is written. */
const deepest = 200;

const isLogSoftmax = (node: Node): boolean =>
  node.tag === "binary" &&
  node.op === "minus" &&
  node.args[1].tag === "reduce" &&
  node.args[1].op === "logSumExp" &&
  node.args[1].args[0] === node.args[0];

function lookedUp(body: Node, index: Node, depth: number): Node {
  if (!body.axes.includes("vocab")) return body;
  const elementwise =
    body.tag === "unary" || body.tag === "binary" || body.tag === "select" || body.tag === "stop";
  if (!elementwise || isLogSoftmax(body) || depth === 0) return core.at(body, "vocab", index);
  return core.withArgs(
    body,
    body.args.map((arg) => lookedUp(arg, index, depth - 1)),
  );
}

/** The same roots with every lookup along the vocabulary as far inside as it goes. */
export const lookupsInside = (roots: readonly Node[]): readonly Node[] =>
  core.substitute(
    roots,
    (node) =>
      node.tag === "at" && node.axis === "vocab"
        ? lookedUp(node.args[0], node.args[1], deepest)
        : node,
    topological(roots),
  );
