// Source terms as text. Equal terms of different responses are one line, with y for the response, because the
// compiler stacks them into one stream as well.

import { isTokenAxis, responseOf, type Axis, type TokenAxis } from "../core/axis.ts";
import { topological, type Node } from "../core/node.ts";
import { printExpression } from "../core/print.ts";
import { isPlainWord } from "../core/spell.ts";
import { logitsOfInput } from "../stream/fields.ts";
import type { GradientTerm } from "../stream/stages.ts";

/** A term of the objective and the responses that have it. */
export interface SourceTerm {
  /** With `y` for the response if there are several. */
  readonly text: string;
  readonly responses: readonly string[];
}

/** Operators that are written of one term; what is nested deeper becomes "…". */
const operators = 16;

/** The name of a response inside printed names of inputs and axes. */
const mention = (response: string): RegExp => new RegExp(`(?<=\\.)${response}(?![\\w.])`, "g");

/**
 * The one response whose tokens each term ranges or reduces over; null if there are none or several. All terms are read
 * together, each part once.
 */
function responsesIn(nodes: readonly Node[]): ReadonlyMap<Node, string | null> {
  const several = "several";
  const axisOf = new Map<Node, Axis | typeof several | null>();
  for (const part of topological(nodes)) {
    const axes = new Set<Axis | typeof several>(part.axes.filter(isTokenAxis));
    for (const arg of part.args) {
      const below = axisOf.get(arg) ?? null;
      if (below !== null) axes.add(below);
    }
    const [first = null, ...others] = axes;
    axisOf.set(part, others.length > 0 ? several : first);
  }
  return new Map(
    nodes.map((node) => {
      const axis = axisOf.get(node)!;
      return [node, axis === null || axis === several ? null : responseOf(axis as TokenAxis)];
    }),
  );
}

/** Prints terms, those of several responses once. */
export function sourceTerms(
  nodes: readonly Node[],
  print: (node: Node) => string = (node) => printExpression(node, operators),
): readonly SourceTerm[] {
  const groups = new Map<string, { text: string; responses: Set<string> }>();
  const responses = responsesIn(nodes);
  for (const node of nodes) {
    const response = responses.get(node)!;
    const text = print(node);
    const plain = response !== null && isPlainWord(response);
    const key = plain ? text.replaceAll(mention(response), "y") : text;
    const group = groups.get(key) ?? { text, responses: new Set<string>() };
    if (response !== null) group.responses.add(response);
    groups.set(key, group);
  }
  return [...groups].map(([key, { text, responses: having }]) => ({
    text: having.size > 1 ? key : text,
    responses: [...having],
  }));
}

/** An expression at one vocabulary entry, where slots are values of the row: slot1, slot2, … */
export const entryText = (node: Node): string =>
  printExpression(node, operators).replaceAll(/"slot\.(\d+)"/g, "slot$1");

/** What a pass over logits serves; logits themselves stand for their gradient, which needs the pass's fields. */
export const servedTerms = (sources: readonly Node[]): readonly SourceTerm[] =>
  sourceTerms(sources, (node) =>
    logitsOfInput(node) === null
      ? printExpression(node, operators)
      : `d loss / d ${printExpression(node)}`,
  );

/** A term of the gradient of a row, for example `c1 e^{x} (policy)`; x = z − max z. */
export function describeGradientTerm(term: GradientTerm, position: number): string {
  const powers = term.powers.flatMap(({ model, d, k }) => {
    const exponential = d === 0 ? "" : `e^{${d === 1 ? "" : d}x}`;
    const power = k === 0 ? "" : k === 1 ? "x" : `x^${k}`;
    return d === 0 && k === 0 ? [] : [`${exponential}${power} (${model})`];
  });
  const maxima = term.maximal.map((model) => `[z = max z] (${model})`);
  const others = term.opaque.map((node) => `(${entryText(node)})`);
  return [`c${position + 1}`, ...powers, ...maxima, ...others].join(" ");
}
