// The printed form of the core: one binding a line, arguments by number, so that sharing is visible, and every attribute
// explicit, so that parse.ts can rebuild the identical nodes. The numbers are positions in the text: the same expression
// prints the same in every process.
//
//   %0: f32[batch, token.w, vocab] = input "policy.logits.w"
//   %1: f32[batch, token.w] = logSumExp[vocab] %0
//   return loss = %1

import { topological, type Input, type Node } from "./node.ts";
import { boundNames } from "./range.ts";
import { quote, spellAxis, spellNumber, word } from "./spell.ts";

const type = (node: Node): string =>
  node.axes.length === 0 ? node.dtype : `${node.dtype}[${node.axes.map(spellAxis).join(", ")}]`;

const learned = (node: Input): string => (node.learned ? " learned" : "");

/** What a node is, without its arguments. */
function operation(node: Node): string {
  switch (node.tag) {
    case "const":
      return `const ${spellNumber(node.value)}`;
    case "param":
      return [
        `${node.kind} ${quote(node.name)}`,
        ...(node.initial === undefined ? [] : [`= ${spellNumber(node.initial)}`]),
        ...boundNames.flatMap((bound) =>
          node.range[bound] === undefined ? [] : [`${bound} ${spellNumber(node.range[bound])}`],
        ),
        ...(node.learned ? ["learned"] : []),
      ].join(" ");
    case "input":
      return `input ${quote(node.name)}${learned(node)}`;
    case "iota":
    case "count":
    case "at":
      return `${node.tag}[${spellAxis(node.axis)}]`;
    case "unary":
    case "binary":
      return node.op;
    case "reduce":
    case "sort":
      return `${node.op}[${spellAxis(node.axis)}]`;
    case "select":
    case "stop":
      return node.tag;
  }
}

/** Prints named roots. Inverse: `parse`. */
export function print(roots: Readonly<Record<string, Node>>): string {
  const number = new Map<Node, number>();
  const lines: string[] = [];
  for (const node of topological(Object.values(roots))) {
    const args = node.args.map((arg) => `%${number.get(arg)!}`).join(", ");
    const position = number.size;
    number.set(node, position);
    lines.push(`%${position}: ${type(node)} = ${operation(node)}${args === "" ? "" : ` ${args}`}`);
  }
  for (const [name, node] of Object.entries(roots)) {
    lines.push(`return ${word(name)} = %${number.get(node)!}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

export { printExpression } from "./infix.ts";
