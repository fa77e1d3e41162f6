// Divisions that a batch makes impossible, found before anything is computed. A divisor that is made of parameters,
// extents and given numbers alone is known before the logits are read; where it is 0, as one less than the number of
// examples is in a batch of one, a GPU may return anything. Nothing here knows an objective: the divisor is printed.

import type { Batch, Params } from "../batch/batch.ts";
import { isTokenAxis, responseOf } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import { isPrompt } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { evaluate } from "./interpret.ts";
import { cite } from "../core/quote.ts";

/** Whether a node can be 0 at all; a batch has examples, a vocabulary has entries, and a completion has tokens. */
const mayBeZero = (node: Node): boolean => {
  if (node.tag === "const") return node.value === 0;
  if (node.tag !== "count") return true;
  return isTokenAxis(node.axis) && isPrompt(responseOf(node.axis));
};

/** Whether a node is data that is computed from a model, and so known only when it has run. */
const isFromModel = (node: Node): boolean =>
  node.tag === "input" && ("model" in node.datum || node.datum.kind === "reward");

/** What is computed whatever the conditions are: a division in a branch of a choice may never be looked at. */
function unguarded(roots: readonly Node[]): ReadonlySet<Node> {
  const found = new Set<Node>(roots);
  for (const node of found) {
    const always = node.tag === "select" ? [node.args[0]] : node.args;
    for (const arg of always) found.add(arg);
  }
  return found;
}

/**
 * The divisors below the roots that are known before the logits are read, and may be 0. A condition guards a division:
 * where(n > 0, s / n, 0) is 0 for n = 0.
 */
export function knownDivisors(roots: readonly Node[]): readonly Node[] {
  const order = topological(roots);
  const known = new Set<Node>();
  for (const node of order) {
    if (!isFromModel(node) && node.args.every((arg) => known.has(arg))) known.add(node);
  }
  const divisors = [...unguarded(roots)].flatMap((node) =>
    node.tag === "binary" && node.op === "over" ? [node.args[1]] : [],
  );
  return [...new Set(divisors)].filter((node) => known.has(node) && mayBeZero(node));
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** What a divisor depends on, and what to change about it. */
function advice(divisor: Node, batch: Batch, params: Params): string {
  const below = topological([divisor]);
  const given = below.flatMap((node) =>
    node.tag === "input" && node.dtype === "f32" ? [cite(node.name)] : [],
  );
  if (given.length > 0)
    return `give a batch in which ${given.join(" and ")} make it another number`;
  const set = below.flatMap((node) =>
    node.tag === "param" ? [`${node.name} = ${params[node.name] ?? node.initial}`] : [],
  );
  if (set.length > 0) return `change ${set.join(" or ")}`;
  return below.some((node) => node.tag === "count" && node.axis === "batch")
    ? `the batch has ${plural(batch.examples, "example")}, so give more`
    : "write it so that it cannot be 0, e.g. maximum(…, 1)";
}

/**
 * Refuses a batch for which a divisor is 0. The divisors are those of `knownDivisors`.
 * @throws PrefcError "division-by-zero", and what `evaluate` throws for a batch or parameters that do not fit
 */
export function checkDivisors(divisors: readonly Node[], batch: Batch, params: Params): void {
  for (const divisor of divisors) {
    const [value] = evaluate([divisor], batch, params);
    const place = value!.data.indexOf(0);
    if (place < 0) continue;
    const where = value!.axes.join() === "batch" ? ` in example ${place}` : "";
    fail(
      "division-by-zero",
      `The objective divides by ${printExpression(divisor)}, which is 0${where}; ${advice(divisor, batch, params)}.`,
    );
  }
}
