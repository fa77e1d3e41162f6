// The table of nodes. Nodes are interned and frozen: two structurally equal expressions are the same object, so `===` is
// structural equality and common-subexpression elimination happens by construction. The table holds them weakly: what nobody
// holds any more can be met by nobody, so a later equal one may be another object. Only build.ts adds to it.

import type { Node } from "./node.ts";

type Draft = Node extends infer N ? (N extends Node ? Omit<N, "id"> : never) : never;

const table = new Map<string, WeakRef<Node>>();
/** Takes the keys of nodes that are gone out of the table, unless an equal node has come in their place. */
const collected = new FinalizationRegistry<string>((key) => {
  if (table.get(key)?.deref() === undefined) table.delete(key);
});
const made = new WeakSet<Node>();
let nextId = 0;

/** The node of this structure; `attributes` says all of it that is neither its tag nor its arguments. */
export function intern(attributes: string, draft: Draft): Node {
  const key = `${draft.tag}|${attributes}|${draft.args.map((arg) => arg.id).join(",")}`;
  // ids are never given twice and a node holds its arguments, so a key that is found is about these arguments
  const known = table.get(key)?.deref();
  if (known !== undefined) return known;
  const node = Object.freeze({ ...draft, id: nextId++ }) as Node;
  table.set(key, new WeakRef(node));
  collected.register(node, key);
  made.add(node);
  return node;
}

/** Whether a node came from here, and so is the only one of its structure. */
export const isInterned = (node: Node): boolean => made.has(node);
