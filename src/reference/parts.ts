// Terms over the vocabulary, which are interpreted a few examples at a time because whole logits in float64 would not fit. What is
// left of an expression reads their values as inputs, and is interpreted over all examples as it stands.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { substitute } from "../core/build.ts";
import { tokenInput } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";

/** The topmost terms that range over no vocabulary themselves but are made from terms that do. */
export function vocabularyTerms(roots: readonly Node[]): readonly Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.args.some(({ axes }) => axes.includes("vocab"))) found.add(node);
    else node.args.forEach(visit);
  };
  roots.forEach(visit);
  return [...found];
}

/** Whether a term looks at other examples than its own. */
export const looksAcross = (term: Node): boolean =>
  topological([term]).some(
    (node) => node.tag === "sort" || ("axis" in node && node.axis === "batch"),
  );

/** The response whose tokens a term has a number for; null where it has none, or one for another thing. */
export function tokensOf(term: Node): string | null {
  const axis = term.axes.find(isTokenAxis);
  return axis === undefined ? null : responseOf(axis);
}

/** The inputs that expressions read. */
export const inputsOf = (roots: readonly Node[]): readonly Input[] =>
  topological(roots).filter((node): node is Input => node.tag === "input");

/** Expressions that read the values of terms, each of one number for each token, under the names that are given back. */
export function readingTerms(
  roots: readonly Node[],
  terms: readonly Node[],
): { readonly roots: readonly Node[]; readonly names: readonly string[] } {
  const read = terms.map((term, position) => tokenInput(`term${position}`, tokensOf(term)!));
  const replaced = new Map(terms.map((term, position) => [term, read[position]!] as const));
  return {
    roots: substitute(
      roots,
      (rebuilt, original) => replaced.get(original) ?? rebuilt,
      topological(roots),
    ),
    names: inputsOf(read).map(({ name }) => name),
  };
}

/** The factors of a loss that are data to the gradient, a number for each example. */
export const factorsOf = (loss: Node): readonly Node[] =>
  topological([loss]).filter(
    ({ tag, axes }) => tag === "stop" && axes.length === 1 && axes[0] === "batch",
  );
