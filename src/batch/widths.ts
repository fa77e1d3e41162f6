// Vocabularies of several sizes in one batch. Each model has its own where an objective never compares entries of two
// models: the vocabulary axis of an expression is as wide as the logits that it is made of.

import { responseAmong } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import type { Batch } from "./batch.ts";
import { vocabOf } from "./logits.ts";

/** The width of an input of logits in a batch. */
export function widthOf({ name }: Input, batch: Batch): number {
  const binding = batch.inputs[name];
  return binding?.height === "logits" ? vocabOf(binding.tensor, batch) : batch.vocab;
}

/** Whether all logits that the roots read are as wide as the batch's vocabulary. */
export const haveOneWidth = (order: readonly Node[], batch: Batch): boolean =>
  order.every(
    (node) =>
      node.tag !== "input" || node.datum.kind !== "logits" || widthOf(node, batch) === batch.vocab,
  );

const describeInput = (input: Input, batch: Batch): string =>
  `${cite(input.name)} has ${widthOf(input, batch)}`;

/**
 * How wide the vocabulary axis is below each node that has or binds one, by the logits that it is made of. What is made of
 * none, such as the number of an entry, is as wide as it is asked for, and is not in the table.
 * @throws PrefcError "vocabulary-differs" where entries of different vocabularies meet, and where a vocabulary is counted
 * that could be either
 */
function widthsBelow(order: readonly Node[], batch: Batch): ReadonlyMap<Node, number> {
  const logits = new Map<Node, Input>();
  const widths = new Map<Node, number>();
  for (const node of order) {
    if (node.tag === "input" && node.datum.kind === "logits") logits.set(node, node);
    const entries = node.args.filter((arg) => arg.axes.includes("vocab"));
    for (const arg of entries) {
      const [own, other] = [logits.get(arg), logits.get(node)];
      if (own === undefined) continue;
      if (other !== undefined && widthOf(own, batch) !== widthOf(other, batch)) {
        fail(
          "vocabulary-differs",
          `The objective compares entries of two vocabularies in ${printExpression(node, 12)}: ${describeInput(other, batch)} entries and ${describeInput(own, batch)}; give both models one vocabulary, such as the first entries that both have.`,
        );
      }
      logits.set(node, own);
    }
    const bound = "axis" in node && node.axis === "vocab";
    const found = logits.get(bound ? node.args[0] : node);
    if (found !== undefined) widths.set(node, widthOf(found, batch));
    else if (node.tag === "count" && bound) refuseCount(node, batch);
    else if (node.tag === "reduce" && bound) refuseCount(node, batch);
    // what a node binds does not reach the next one
    if (bound) logits.delete(node);
  }
  return widths;
}

const refuseCount = (node: Node, batch: Batch): never =>
  fail(
    "vocabulary-differs",
    `The models have vocabularies of different sizes, so that ${printExpression(node, 12)}${responseAmong(node.axes) === null ? "" : " of a token"} could mean any of them (the policy's has ${batch.vocab} entries); give all models one vocabulary, or count by sum("vocab", …) of what is made of logits.`,
  );

/** The width of each node's vocabulary axis, or null where all have the batch's. @throws PrefcError as `widthsBelow` does */
export function widthsOf(roots: readonly Node[], batch: Batch): ReadonlyMap<Node, number> | null {
  const order = topological(roots);
  return haveOneWidth(order, batch) ? null : widthsBelow(order, batch);
}
