// How terms are used, which decides how they are written: a term with several users gets a name, one that is stacked may be
// used as all rows or as the rows of single responses, and some nodes are one function of torch.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { Node } from "../core/node.ts";
import { contractionOf, type Contraction } from "./patterns.ts";
import { familyOf, type Family, type Stacking } from "./stack.ts";

/** How one term is used; equal terms of several responses are one where they are stacked. */
export interface Usage {
  readonly users: ReadonlySet<string>;
  /** The responses whose rows alone are used. */
  readonly parts: ReadonlySet<string>;
  /** Whether all rows are used together. */
  readonly whole: boolean;
}
export interface Usages {
  /** Identifies a term; equal terms of stacked responses share it. */
  readonly keyOf: (node: Node) => string;
  readonly of: (key: string) => Usage;
  /** The one function that a node is written as. */
  readonly contraction: (node: Node) => Contraction | undefined;
  /** Whether a node is written at all: what a contraction replaces is not. */
  readonly isWritten: (node: Node) => boolean;
  /** The masks that are read, with the responses whose rows alone are. */
  readonly masks: ReadonlyMap<Family, ReadonlySet<string>>;
  /** How often the mask of a single response is read. */
  readonly maskUses: (response: string) => number;
}

interface Counted {
  readonly users: Set<string>;
  readonly parts: Set<string>;
  whole: boolean;
}
const none: Usage = { users: new Set(), parts: new Set(), whole: false };

/** Counts the uses of every term below the roots; `order` has arguments before users. */
export function usagesOf(
  roots: readonly Node[],
  order: readonly Node[],
  stack: Stacking,
  responses: number,
  masked: boolean,
  named: (node: Node) => boolean,
): Usages {
  const keyOf = (node: Node): string => stack.of(node)?.key ?? `node ${node.id}`;
  const counted = new Map<string, Counted>();
  const use = (node: Node, user: string, whole: boolean): void => {
    const key = keyOf(node);
    const own = counted.get(key) ?? { users: new Set(), parts: new Set(), whole: false };
    counted.set(key, own);
    own.users.add(user);
    if (stack.of(node) === undefined || whole) own.whole = true;
    else own.parts.add(stack.responseOf(node)!);
  };
  const masks = new Map<Family, Set<string>>();
  const maskUses = new Map<string, number>();
  const useMask = (response: string, whole: boolean): void => {
    const family = familyOf(response);
    const own = masks.get(family) ?? new Set<string>();
    masks.set(family, whole ? own : own.add(response));
    if (!whole) maskUses.set(response, (maskUses.get(response) ?? 0) + 1);
  };

  const known = new Set(order);
  const written = new Set(roots.filter((root) => known.has(root)));
  for (const [position, root] of roots.entries())
    if (known.has(root)) use(root, `root ${position}`, false);
  const contractions = new Map<Node, Contraction>();
  for (const node of order.toReversed()) {
    if (!written.has(node)) continue;
    const contraction = contractionOf(node, stack, responses, named);
    if (contraction !== null) contractions.set(node, contraction);
    const stacked = contraction?.whole ?? stack.of(node) !== undefined;
    const { term = null, tokens = null } = contraction ?? {};
    if (tokens !== null) useMask(tokens, stacked);
    for (const arg of contraction === null ? node.args : term === null ? [] : [term]) {
      if (!known.has(arg)) continue;
      written.add(arg);
      use(arg, keyOf(node), stacked);
    }
    const axis = "axis" in node ? node.axis : null;
    if (contraction === null && masked && axis !== null && isTokenAxis(axis))
      useMask(responseOf(axis), stacked);
  }
  return {
    keyOf,
    of: (key) => counted.get(key) ?? none,
    contraction: (node) => contractions.get(node),
    isWritten: (node) => written.has(node),
    masks,
    maskUses: (response) => maskUses.get(response) ?? 0,
  };
}
