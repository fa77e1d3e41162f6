// Whether the tokens of two responses compute a value alike: the same operators over the same fields, and over values per
// example that may differ from response to response. What is alike is computed once, for the tokens of both.

import { rowsAlong } from "../core/axis.ts";
import type { Node } from "../core/node.ts";
import { isLookup, spaceOf, type RowProgram } from "./program.ts";
import { isOwnLeaf, responseWithin } from "./moments.ts";
import { isPairLoop } from "./pairs.ts";

/** The value per example that the tokens of a response read in the place of another response's. */
export type Binding = ReadonlyMap<Node, Node>;

export interface Matching {
  readonly program: RowProgram;
  /** Where a value per token lies in memory at this moment; undefined when it is computed. */
  readonly memory: (node: Node) => number | undefined;
}

/** What a token reads per example, when `theirs` is computed in the place of `ours`; null where they are not alike. */
export function alike(
  ours: Node,
  theirs: Node,
  responses: { readonly ours: string; readonly theirs: string },
  known: Binding,
  matching: Matching,
): Binding | null {
  const binding = new Map(known);
  const seen = new Map<Node, Node>();
  const pairs: (readonly [Node, Node])[] = [[ours, theirs]];
  while (pairs.length > 0) {
    const [a, b] = pairs.pop()!;
    if (seen.get(a) === b) continue;
    seen.set(a, b);
    const [space, other] = [spaceOf(a), spaceOf(b)];
    if (space !== other || a.dtype !== b.dtype) return null;
    // what a token reads of its response, and what a response reads of the others, is read by one list only
    if (space === "token" && (responseWithin(a) !== responses.ours || isPairLoop(a))) {
      if (a !== b) return null;
      continue;
    }
    if (space === "scalar") {
      if (a !== b) return null;
    } else if (space === "example") {
      const [isOwn, isTheirOwn] = [isOwnLeaf(a, responses.ours), isOwnLeaf(b, responses.theirs)];
      if (isOwn !== isTheirOwn || (isOwn && a.tag !== b.tag)) return null;
      if (!isOwn && !bind(binding, a, b)) return null;
    } else {
      const args = perToken(a, b, binding, matching);
      if (args === null) return null;
      pairs.push(...args);
    }
  }
  return binding;
}

function bind(binding: Map<Node, Node>, a: Node, b: Node): boolean {
  const bound = binding.get(a);
  if (bound === undefined) binding.set(a, b);
  return bound === undefined || bound === b;
}

/** The arguments that must be alike for two values per token to be so; null where they differ already. */
function perToken(
  a: Node,
  b: Node,
  binding: Map<Node, Node>,
  { program, memory }: Matching,
): readonly (readonly [Node, Node])[] | null {
  const [mine, other] = [memory(a), memory(b)];
  if (mine !== undefined || other !== undefined) return mine === other ? [] : null;
  if (a.tag !== b.tag) return null;
  if (isLookup(a) && isLookup(b)) {
    return bind(binding, a.args[0], b.args[0]) ? [[a.args[1], b.args[1]]] : null;
  }
  if (a.tag === "input") {
    const isSame = a.dtype === "i32" || program.rowField(a) === program.rowField(b);
    return isSame ? [] : null;
  }
  if (a.tag === "iota" && b.tag === "iota") return rowsAlong(a.axis) !== null ? [] : null;
  if ("op" in a && "op" in b && a.op !== b.op) return null;
  return a.args.map((arg, position) => [arg, b.args[position]!]);
}
