// Shapes of expressions that torch has one function for: a number kept between bounds, and a sum over the rows of every
// response. They are recognised by what they are made of, and mean exactly what they replace.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { Node, Select } from "../core/node.ts";
import { call, type Piece } from "./piece.ts";
import type { Stacking } from "./stack.ts";

const comparedWith = (node: Node, op: "lt" | "gt"): readonly [Node, Node] | null =>
  node.tag === "binary" && node.op === op ? node.args : null;

/** The bound and the value of `where(x < bound, bound, x)`, or of the same with >. */
function bounded(node: Node, op: "lt" | "gt"): { readonly x: Node; readonly bound: Node } | null {
  if (node.tag !== "select") return null;
  const [condition, bound, x] = node.args;
  const sides = comparedWith(condition, op);
  return sides !== null && sides[1] === bound && sides[0] === x ? { x, bound } : null;
}

/** `torch.clamp`, whose slope at a bound is 1 as that of the choice is; null for another choice. */
export function clampOf(node: Select, piece: (node: Node) => Piece): Piece | null {
  const [condition, bound, otherwise] = node.args;
  const plain = (limit: Node): boolean => piece(limit).kind === "python";
  const upper = comparedWith(condition, "gt");
  if (upper !== null && upper[1] === bound && plain(bound)) {
    const lower = bounded(otherwise, "lt");
    // a lower bound above the upper one would mean something else, so both must be known
    const ordered =
      lower?.bound.tag === "const" && bound.tag === "const" && lower.bound.value <= bound.value;
    if (lower !== null && lower.x === upper[0] && ordered && piece(lower.x).kind === "real") {
      const [low, high] = [piece(lower.bound).text, piece(bound).text];
      return call("torch.clamp", [piece(lower.x), `min=${low}`, `max=${high}`]);
    }
  }
  for (const [op, name] of [
    ["lt", "min"],
    ["gt", "max"],
  ] as const) {
    const found = bounded(node, op);
    if (found !== null && plain(found.bound) && piece(found.x).kind === "real")
      return call("torch.clamp", [piece(found.x), `${name}=${piece(found.bound).text}`]);
  }
  return null;
}

/** One function of torch over a term, in place of several nodes. */
export interface Contraction {
  readonly name: "torch.sum" | "torch.mean";
  /** What is reduced; the mask itself where there is none. */
  readonly term: Node | null;
  /** Whether it is over the rows of all responses. */
  readonly whole: boolean;
  /** The response whose tokens are summed as well. */
  readonly tokens: string | null;
}

const summed = (node: Node): Node | null =>
  node.tag === "reduce" && node.op === "sum" && node.axis === "batch" ? node.args[0] : null;

/** The average over the examples. */
function meanOf(node: Node): Contraction | null {
  if (node.tag !== "binary" || node.op !== "over") return null;
  const [sum, extent] = node.args;
  const term = summed(sum);
  const all = extent.tag === "count" && extent.axis === "batch";
  return term !== null && all && term.axes.includes("batch")
    ? { name: "torch.mean", term, whole: false, tokens: null }
    : null;
}

/** Σ over the batch of one stacked term for each response, added up: a single sum over all rows. */
function sumOf(node: Node, stack: Stacking, responses: number): Node | null {
  if (responses < 2 || node.tag !== "binary" || node.op !== "plus") return null;
  const terms: Node[] = [];
  const visit = (one: Node): boolean => {
    const term = summed(one);
    if (term !== null) return terms.push(term) <= responses;
    return one.tag === "binary" && one.op === "plus" && one.args.every(visit);
  };
  if (!visit(node) || terms.length !== responses) return null;
  const keys = new Set(terms.map((term) => stack.of(term)?.key));
  const having = new Set(terms.map((term) => stack.responseOf(term)));
  return keys.size !== 1 || keys.has(undefined) || having.size !== responses ? null : terms[0]!;
}

/** A sum over examples, taken together with the sum over tokens below it where that has no name of its own. */
function withTokens(term: Node, whole: boolean, named: (node: Node) => boolean): Contraction {
  const name = "torch.sum";
  const axis =
    term.tag === "count" || (term.tag === "reduce" && term.op === "sum") ? term.axis : null;
  if (axis === null || !isTokenAxis(axis) || named(term))
    return { name, term, whole, tokens: null };
  const tokens = responseOf(axis);
  if (term.tag === "count") return { name, term: null, whole, tokens };
  const body = term.args[0];
  return body.axes.includes(axis)
    ? { name, term: body, whole, tokens }
    : { name, term, whole, tokens: null };
}

/** How a node is written as one function of torch; null where it is not. `named`: terms that stand for themselves. */
export function contractionOf(
  node: Node,
  stack: Stacking,
  responses: number,
  named: (node: Node) => boolean,
): Contraction | null {
  const mean = meanOf(node);
  if (mean !== null) return mean;
  const all = sumOf(node, stack, responses);
  if (all !== null) return withTokens(all, true, named);
  const term = summed(node);
  if (term === null) return null;
  const own = withTokens(term, false, named);
  return own.tokens === null ? null : own;
}
