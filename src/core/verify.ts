// Checks after every pass that what it made is still a well-formed term of the core: interned, with the arguments made
// before their users, and with the types and axes that its operators give (wellformed.ts). A failure is a bug of the
// pass, and the sentence names it.

import { isInterned } from "./intern.ts";
import { fail } from "./error.ts";
import type { Node } from "./node.ts";
import { semanticComplaint, structuralComplaint } from "./wellformed.ts";
import { cite } from "./quote.ts";

/** Nodes are immutable, so what was found well formed once stays so. */
const checked = new WeakSet<Node>();

const named = (node: Node): string => {
  const name = "op" in node ? node.op : node.tag;
  return "name" in node ? `${name} ${cite(node.name)}` : name;
};

/**
 * Checks every node below the roots. `where` names the pass that made them, for example "stability".
 * @throws PrefcError "ill-formed-term": after which pass, which node, and which rule it breaks.
 */
export function verify(roots: readonly Node[], where: string): void {
  const stack: Node[] = [...roots];
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    if (checked.has(node)) {
      stack.pop();
      continue;
    }
    const broken = (what: string): never =>
      fail(
        "ill-formed-term",
        `after ${where}: the node ${named(node)} is ill formed: ${what}; this is a bug in ${where}, so please report it with the objective.`,
      );
    // ids descend from users to arguments, so that this check also keeps cycles out
    const wrong = structuralComplaint(node);
    if (wrong !== undefined) broken(wrong);
    const waiting = node.args.filter((arg) => !checked.has(arg));
    if (waiting.length > 0) {
      stack.push(...waiting);
      continue;
    }
    const mistaken = semanticComplaint(node);
    if (mistaken !== undefined) broken(mistaken);
    if (!isInterned(node)) broken("it was not made by the constructors, so it is not interned");
    checked.add(node);
    stack.pop();
  }
}
