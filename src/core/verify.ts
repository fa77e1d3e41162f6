// Checks after every pass that what it made is still a well-formed term of the core: interned, with the arguments made
// before their users, and with the types and axes that its operators give (wellformed.ts). A failure is a bug of the
// pass, and the sentence names it.

import { fail } from "./error.ts";
import type { Node } from "./node.ts";
import { semanticComplaint, structuralComplaint } from "./wellformed.ts";

/** Everything by which two nodes differ, with arguments by identity. */
function identity(node: Node, number: ReadonlyMap<Node, number>): string {
  const own = Object.entries(node).filter(([key]) => key !== "id" && key !== "args");
  own.sort(([a], [b]) => (a < b ? -1 : 1));
  const text = own.map(([key, value]) => [key, Object.is(value, -0) ? "-0" : value]);
  return JSON.stringify([text, node.args.map((arg) => number.get(arg))]);
}

const named = (node: Node): string => {
  const name = "op" in node ? node.op : node.tag;
  return "name" in node ? `${name} ${JSON.stringify(node.name)}` : name;
};

/**
 * Checks every node below the roots. `where` names the pass that made them, for example "stability".
 * @throws PrefcError "ill-formed-term": after which pass, which node, and which rule it breaks.
 */
export function verify(roots: readonly Node[], where: string): void {
  const number = new Map<Node, number>();
  const known = new Map<string, Node>();
  const stack: Node[] = [...roots];
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    if (number.has(node)) {
      stack.pop();
      continue;
    }
    const broken = (what: string): never =>
      fail(
        "ill-formed-term",
        `after ${where}: node ${node.id} (${named(node)}) is ill formed: ${what}; this is a bug in ${where}.`,
      );
    // ids descend from users to arguments, so that this check also keeps cycles out
    const wrong = structuralComplaint(node);
    if (wrong !== undefined) broken(wrong);
    const waiting = node.args.filter((arg) => !number.has(arg));
    if (waiting.length > 0) {
      stack.push(...waiting);
      continue;
    }
    const mistaken = semanticComplaint(node);
    if (mistaken !== undefined) broken(mistaken);
    number.set(node, number.size);
    const key = identity(node, number);
    const twin = known.get(key);
    if (twin !== undefined)
      broken(`node ${twin.id} is the same expression, so one of them was not interned`);
    known.set(key, node);
    stack.pop();
  }
}
