// What the mathematics demands of memory, whatever the kernels are: which logits a value depends on as a whole
// row, which only at single entries, and which a gradient needs once more after their row has been reduced. It
// is read off the expressions, never off a table of names, and it is the floor that plans are held against.
//
// Why a second read cannot be avoided: the gradient at an entry v needs z(v) together with a reduction over
// the whole row of the same z. Nothing can be written before the last entry was read, and a row of a real
// vocabulary (half a megabyte) does not fit in the registers or the shared memory of a workgroup.

import type { Program } from "../pipeline/pipeline.ts";
import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { simplify } from "../rewrite/simplify.ts";
import { logitsOfInput } from "../stream/fields.ts";

/** What must be moved of one logits input. */
export interface Demand {
  readonly model: ModelName;
  readonly response: string;
  /** How often every entry must be read. */
  readonly reads: 0 | 1 | 2;
  /** Whether only the label's entry is read. */
  readonly gathered: boolean;
  /** Whether its gradient must be written. */
  readonly written: boolean;
}

/** The logits that vary with the vocabulary entry in an expression: what one entry of it is computed from. */
function entriesOf(root: Node): ReadonlySet<Node> {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const stack = [root];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node) || !node.axes.includes("vocab")) continue;
    seen.add(node);
    if (logitsOfInput(node) !== null) found.add(node);
    // a reduction or an index binds the entry: what is below varies with another one
    if ("axis" in node && node.axis === "vocab") {
      if (node.tag === "at") stack.push(node.args[1]);
    } else stack.push(...node.args);
  }
  return found;
}

/** The logits of which a reduction along the vocabulary, anywhere below the roots, reads whole rows. */
function reducedBelow(roots: readonly Node[]): ReadonlySet<Node> {
  const reductions = topological(roots).filter(
    (node) => node.tag === "reduce" && node.axis === "vocab",
  );
  return new Set(reductions.flatMap((node) => [...entriesOf(node.args[0])]));
}

/** The demands of a direction, for every logits input that it depends on. */
export function demands(program: Program, direction: "value" | "valueAndGrad"): readonly Demand[] {
  const value = simplify([program.loss, ...Object.values(program.metrics)]).roots;
  const gradients = direction === "value" ? [] : program.gradients;
  const roots = [...value, ...gradients.map(({ node }) => node)];
  const reduced = reducedBelow(roots);
  const entries = new Set<Node>();
  const again = new Set<Node>();
  for (const { node } of gradients) {
    const needed = reducedBelow([node]);
    for (const z of entriesOf(node)) {
      entries.add(z);
      if (needed.has(z)) again.add(z);
    }
  }
  const written = new Set<Node>(gradients.map(({ input }) => input));
  const read = topological(roots).filter((node) => logitsOfInput(node) !== null);
  return [...new Set([...read, ...written])].flatMap((z) => {
    const logits = logitsOfInput(z);
    if (logits === null) return [];
    const reads = again.has(z) ? 2 : reduced.has(z) || entries.has(z) ? 1 : 0;
    return [
      { ...logits, reads, gathered: reads === 0 && read.includes(z), written: written.has(z) },
    ];
  });
}
