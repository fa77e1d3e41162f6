// How large an objective may be. What is computed on expressions takes about linear time and no recursion, but drivers take
// far more than linear time to compile long shaders, so an expression that got out of hand ends in a sentence.

import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";

/** Different subexpressions of an objective, or of what a pass makes of it; the largest built-in one has 141. */
export const mostNodes = 4000;

/** Counts the nodes below the roots. @throws PrefcError too-large */
export function nodesWithin(objective: string, after: string, roots: readonly Node[]): number {
  const nodes = topological(roots).length;
  if (nodes > mostNodes) {
    fail(
      "too-large",
      `compile: objective ${cite(objective)} has ${nodes} different subexpressions ${after}, more than the ${mostNodes} that are compiled; write it with fewer, for example a sum along an axis for a sum of many terms.`,
    );
  }
  return nodes;
}
