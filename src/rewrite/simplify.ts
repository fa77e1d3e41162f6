// The simplification pass of the pipeline: algebra and stability as one list, to the fixed point, with exchanged operands
// shared in between, since sharing may let a rule such as x − x → 0 see that its two sides are one.

import type { Node } from "../core/node.ts";
import { algebra } from "./algebra.ts";
import { shareExchanged } from "./canonical.ts";
import { rewrite, type Rewritten } from "./engine.ts";
import type { Rule } from "./rule.ts";
import { stability } from "./stability.ts";

/** The list, in order of trial: a stability rule, being the more specific, goes before the algebra of its head. */
export const simplification: readonly Rule[] = [...stability, ...algebra];

/** Simplifies to the fixed point; the counts are of all rounds together. Axes of a root may become fewer, never more. */
export function simplify(roots: readonly Node[]): Rewritten {
  const applied = new Map<string, number>();
  let current = roots;
  for (;;) {
    const round = rewrite(current, simplification);
    for (const [name, times] of round.applied) applied.set(name, (applied.get(name) ?? 0) + times);
    const shared = shareExchanged(round.roots);
    // what was rewritten is at its fixed point until sharing changes it; sharing merges nodes and never splits them,
    // so this ends
    if (shared.every((root, position) => root === round.roots[position])) {
      return { roots: shared, applied };
    }
    current = shared;
  }
}
