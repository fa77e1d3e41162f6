// Which terms of different responses are one computation. Trainers hand over the rows of all responses in one tensor, so what
// is computed alike for each of them is written once, over all rows, and taken apart where the responses meet.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { isPrompt } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { anyResponse, relabelled } from "../seam/relabel.ts";

/** The rows of completions, or the prompts before them, which lie in the same rows. */
export type Family = "completion" | "prompt";

/** A term that is computed for the rows of all responses at once. */
export interface Stacked {
  readonly key: string;
  readonly family: Family;
}

export interface Stacking {
  /** How a term is stacked; undefined where it is not. */
  readonly of: (node: Node) => Stacked | undefined;
  /** The response that alone a term is made of; null where there are none or several. */
  readonly responseOf: (node: Node) => string | null;
}

export const familyOf = (response: string): Family =>
  isPrompt(response) ? "prompt" : "completion";

/** The completion in whose rows a response lies. */
export const rowsOf = (response: string): string =>
  isPrompt(response) ? response.slice(0, -".prompt".length) : response;

const several = Symbol("several");
type Below = string | null | typeof several;

function below(order: readonly Node[]): ReadonlyMap<Node, Below> {
  const found = new Map<Node, Below>();
  for (const node of order) {
    const parts = new Set<Below>(node.args.map((arg) => found.get(arg)!));
    if (node.tag === "input" && "response" in node.datum) parts.add(node.datum.response);
    for (const axis of "axis" in node ? [...node.axes, node.axis] : node.axes) {
      if (isTokenAxis(axis)) parts.add(responseOf(axis));
    }
    parts.delete(null);
    const [first = null, ...others] = parts;
    found.set(node, others.length > 0 ? several : first);
  }
  return found;
}

const bindsBatch = (node: Node): boolean =>
  "axis" in node && node.axis === "batch" && node.tag !== "count";

/** Finds the terms to stack. `responses` are those whose rows are handed over, in order; with one there is nothing to do. */
export function stacking(order: readonly Node[], responses: readonly string[]): Stacking {
  const prompts = responses.map((response) => `${response}.prompt`);
  const parts = below(order);
  const single = (node: Node): string | null => {
    const part = parts.get(node);
    return typeof part === "string" ? part : null;
  };
  const stacked = new Map<Node, Stacked>();
  const result: Stacking = { of: (node) => stacked.get(node), responseOf: single };
  if (responses.length < 2) return result;

  const keyOf = new Map<Node, Stacked>();
  const members = new Map<string, Set<string>>();
  for (const response of [...responses, ...prompts]) {
    const own = order.filter((node) => single(node) === response);
    const templates = relabelled(own, response, anyResponse);
    const family = familyOf(response);
    for (const node of own) {
      const key = `${family} ${templates.get(node)!.id}`;
      keyOf.set(node, { key, family });
      const having = members.get(key) ?? new Set<string>();
      members.set(key, having.add(response));
    }
  }
  for (const node of order) {
    const own = keyOf.get(node);
    if (own === undefined || !node.axes.includes("batch") || bindsBatch(node)) continue;
    const full = members.get(own.key)!.size === responses.length;
    const fits = node.args.every((arg) => stacked.has(arg) || arg.axes.length === 0);
    // whatever is handed over comes for all rows
    if (node.tag === "input" || (full && fits)) stacked.set(node, own);
  }
  return result;
}
