// Emits a core expression as values of a kernel: one `let` for each shared part, in the order of the arguments. The caller
// says what the leaves are (a field, a slot, a parameter, a stored result); everything else is elementwise.

import { fail } from "../core/error.ts";
import type { At, Node } from "../core/node.ts";
import { topological } from "../core/node.ts";
import type { Arithmetic } from "./arithmetic.ts";
import * as k from "./kernel.ts";
import type { Statement, Value } from "./kernel.ts";

/** The value of a leaf, or null when the node is to be computed from its arguments. */
export type Leaf = (node: Node) => Value | null;
/** The value of a node at another example; the caller knows where it is stored. */
export type Elsewhere = (body: Node, index: Value) => Value;

export interface Scope {
  readonly statements: Statement[];
  /** Emits what a node needs into `statements` and returns its value. */
  value(node: Node): Value;
}

/** The value of a node that takes a loop, whose statements are emitted by the way; null for all others. */
export type Looped = (node: Node, emit: (statements: readonly Statement[]) => void) => Value | null;

/** In one block. An objective has fewer subexpressions, but a gradient along the vocabulary may need each of them many times. */
const mostStatements = 10_000;

/** Fresh names count up within a kernel, so that nested scopes never shadow each other. */
export function scope(
  leaf: Leaf,
  names: { next: number },
  arithmetic: Arithmetic,
  elsewhere?: Elsewhere,
  looped: Looped = () => null,
): Scope {
  const statements: Statement[] = [];
  const known = new Map<Node, Value>();
  const keep = (node: Node, v: Value): Value => {
    // literals and names are repeated, everything else is computed once
    if (isSimple(v) || node.tag === "const") return v;
    if (statements.length === mostStatements) {
      fail(
        "kernel-too-large",
        `A kernel would have more than ${mostStatements} statements, and drivers cannot be given so many; write the objective with fewer different terms along the vocabulary, or fewer operators one inside the other.`,
      );
    }
    const named = k.variable(`v${names.next++}`, v.type);
    statements.push(...k.about(node, [k.letValue(named, v)]));
    return named;
  };
  const value = (root: Node): Value => {
    const isEnd = (part: Node): boolean =>
      known.has(part) || leaf(part) !== null || part.tag === "reduce";
    for (const node of reachable(root, isEnd)) {
      if (known.has(node)) continue;
      const from = (arg: Node): Value => known.get(arg)!;
      const made =
        leaf(node) ??
        looped(node, (all) => statements.push(...k.about(node, all))) ??
        compute(node, from, arithmetic, elsewhere);
      known.set(node, "tag" in made ? value(made) : keep(node, made));
    }
    return known.get(root)!;
  };
  return { statements, value };
}

const isSimple = (v: Value): boolean =>
  v.kind === "variable" || v.kind === "literal" || v.kind === "uniform" || v.kind === "builtin";

function reachable(root: Node, isLeaf: (node: Node) => boolean): readonly Node[] {
  if (isLeaf(root)) return [root];
  const wanted = new Set<Node>([root]);
  const stack = [root];
  while (stack.length > 0) {
    for (const arg of operands(stack.pop()!)) {
      if (wanted.has(arg)) continue;
      wanted.add(arg);
      if (!isLeaf(arg)) stack.push(arg);
    }
  }
  return topological([root]).filter((node) => wanted.has(node));
}

/** What is computed here for a node: all its arguments, but not what it looks up at another example. */
const operands = (node: Node): readonly Node[] => (isLookup(node) ? [node.args[1]] : node.args);
const isLookup = (node: Node): node is At =>
  node.tag === "at" && node.axis === "batch" && node.args[0].axes.includes("batch");

function compute(
  node: Node,
  arg: (node: Node) => Value,
  arithmetic: Arithmetic,
  elsewhere?: Elsewhere,
): Value | Node {
  if (isLookup(node) && elsewhere !== undefined) {
    return elsewhere(node.args[0], arg(node.args[1]));
  }
  switch (node.tag) {
    case "const":
      return arithmetic.constant(node);
    case "unary":
    case "binary":
      return arithmetic.apply(node, node.args.map(arg));
    case "select":
      return k.choose(arg(node.args[0]), arg(node.args[1]), arg(node.args[2]));
    case "stop":
      return arg(node.args[0]);
    case "param":
    case "input":
    case "iota":
    case "count":
    case "reduce":
    case "at":
    case "sort":
      return fail(
        "kernel-leaf",
        `A ${node.tag} should have been replaced before kernels are written; this is a bug of prefc, so please report it with the objective.`,
      );
  }
}
