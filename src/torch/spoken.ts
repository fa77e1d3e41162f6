// The loss for the header of a file, as a paper would print it: in words for what has one, and then what the words stand for.

import { input, param, substitute } from "../core/build.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type Node } from "../core/node.ts";
import { termWord } from "../core/words.ts";
import type { Arguments } from "./arguments.ts";
import { knownTerms, wordOf } from "./names.ts";
import { rowsOf } from "./stack.ts";

/** A term without a response where it is of one of several. */
function anyOf(word: string, responses: readonly string[]): string {
  const end = responses.map((response) => `_${wordOf(response)}`).find((one) => word.endsWith(one));
  return end === undefined || responses.length < 2 ? word : word.slice(0, -end.length);
}

/** The loss in words for what has one, and below it what the words of its author stand for. */
export function spoken(
  loss: Node,
  responses: readonly string[],
  of: Arguments["of"],
): readonly string[] {
  const known = knownTerms(responses);
  const own = (node: Node, name: string): string => {
    const below = topological([node]).flatMap((part) =>
      part.tag === "input" && "response" in part.datum ? [part.datum.response] : [],
    );
    const [response, ...others] = new Set(below);
    const single = responses.length > 1 && response !== undefined && others.length === 0;
    return single ? `${name}_${wordOf(rowsOf(response))}` : name;
  };
  const defined = new Map<string, string>();
  const said = (root: Node, short: boolean): string => {
    const [made] = substitute(
      [root],
      (rebuilt, original) => {
        if (original === root || original.tag === "count" || original.tag === "const")
          return rebuilt;
        const word = known.get(original)?.name;
        if (word !== undefined) return param(own(original, word));
        const authors = termWord(original);
        if (authors !== undefined) {
          if (!defined.has(authors)) defined.set(authors, said(original, true));
          return param(own(original, authors));
        }
        if (original.tag !== "input" || original.dtype !== "f32") return rebuilt;
        const name = own(original, of(original));
        return original.axes.length < 2
          ? param(name)
          : input({ kind: "named", name: short ? anyOf(name, responses) : name }, original.axes);
      },
      topological([root]),
    );
    return printExpression(made!, 40);
  };
  const whole = said(loss, false);
  // terms of the author's that only other terms have stand after those
  const definitions = [...defined].toReversed().map(([name, text]) => `${name} = ${text}`);
  return [whole, ...definitions];
}
