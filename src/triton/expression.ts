// Writes nodes of the core as lines of Triton, on blocks of entries or on numbers of the row: broadcasting is Triton's own, so
// that both are written alike. A term with several users, or a long one, gets a line.

import { match } from "ts-pattern";
import { mayBeInfinite } from "../block/infinite.ts";
import type { Binary, Node } from "../core/node.ts";
import { formOf } from "../core/smart.ts";
import { describing, type Namer } from "../torch/names.ts";
import { atom, call, number, type Piece } from "../torch/piece.ts";
import { beyondARow } from "../torch/tile.ts";
import { binarySpellings, unarySpellings, type Brings } from "./operators.ts";

/** Characters of a term that still stands where it is used. */
const longestInline = 60;

/** The lines of one block of a kernel, and what is known by name inside it. */
export interface Scope {
  readonly lines: string[];
  readonly names: Namer;
  /** What has a name or a text already. */
  readonly known: Map<Node, Piece>;
  readonly brings: Brings;
}

/** A block inside another one: it sees the names of the outer one, and keeps its own. */
export const inside = (outer: Scope): Scope => ({
  ...outer,
  lines: [],
  known: new Map(outer.known),
});

const isWord = ({ text }: Piece): boolean => /^-?[\w.]+$/.test(text);

/** What a node is in terms of others where its operator has no spelling; else the node. */
function spelled(node: Node): Node {
  const isForm =
    (node.tag === "unary" && unarySpellings[node.op] === "form") ||
    (node.tag === "binary" && binarySpellings[node.op] === "form");
  return isForm ? formOf(node, "single")! : node;
}

function product(node: Binary, [a, b]: readonly Piece[], brings: Brings): Piece | null {
  const isPlain = (one: Node): boolean => one.tag === "const" && one.value !== 0;
  if (node.op !== "times" || !node.args.some(mayBeInfinite) || node.args.some(isPlain)) return null;
  return call(brings("product_of"), [a!, b!]);
}

/** Writes the roots into a scope. @throws PrefcError emit-beyond-a-row with what is no expression of one row */
export function write(scope: Scope, roots: readonly Node[]): readonly Piece[] {
  const { known, names, lines, brings } = scope;
  const users = new Map<Node, number>();
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (known.has(node)) return;
    const form = spelled(node);
    for (const arg of form === node ? node.args : [form]) {
      users.set(arg, (users.get(arg) ?? 0) + 1);
      visit(arg);
    }
    order.push(node);
  };
  for (const root of roots) {
    users.set(root, (users.get(root) ?? 0) + 1);
    visit(root);
  }
  const written = (node: Node): Piece => {
    const form = spelled(node);
    if (form !== node) return known.get(form)!;
    const args = node.args.map((arg) => known.get(arg)!);
    const [a, b, c] = args as unknown as readonly [Piece, Piece, Piece];
    return match(node)
      .with({ tag: "const" }, ({ dtype, value }) =>
        dtype === "bool" ? atom(value === 0 ? "False" : "True", "python") : number(value),
      )
      .with({ tag: "unary" }, ({ op }) => {
        const spelling = unarySpellings[op];
        return spelling === "form" ? a : spelling(a, brings);
      })
      .with({ tag: "binary" }, (own) => {
        const spelling = binarySpellings[own.op];
        return spelling === "form" ? a : (product(own, args, brings) ?? spelling(a, b, brings));
      })
      .with({ tag: "select" }, ({ dtype }) => ({
        ...call("tl.where", [a, b, c]),
        kind: dtype === "bool" ? ("bool" as const) : ("real" as const),
      }))
      .with({ tag: "stop" }, () => a)
      .with(
        { tag: "param" },
        { tag: "input" },
        { tag: "iota" },
        { tag: "count" },
        { tag: "reduce" },
        { tag: "at" },
        { tag: "sort" },
        (own) => beyondARow(own),
      )
      .exhaustive();
  };
  for (const node of order) {
    const piece = written(node);
    const named =
      node.tag !== "const" &&
      !isWord(piece) &&
      (users.get(node)! > 1 || piece.text.length > longestInline);
    if (named) {
      const name = names.fresh(describing(node));
      lines.push(`${name} = ${piece.text}`);
      known.set(node, atom(name, piece.kind));
    } else known.set(node, piece);
  }
  return roots.map((root) => known.get(root)!);
}
