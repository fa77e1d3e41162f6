// The word by which the author of a formula calls a term, where there is one. It changes no value and is no part of the term;
// what writes a formula out for people, such as emitted code, calls the term by it.

import type { Node } from "./node.ts";

const words = new WeakMap<Node, string>();

/** Calls a term by a word, unless it is called something already. */
export function callTerm(node: Node, word: string): void {
  if (!words.has(node)) words.set(node, word);
}

/** What a term is called, if anything. */
export const termWord = (node: Node): string | undefined => words.get(node);

/** Lets what has come in a term's place go by the term's word. */
export function inPlaceOf(term: Node, replacement: Node): Node {
  const word = termWord(term);
  if (word !== undefined) callTerm(replacement, word);
  return replacement;
}
