// Where torch would make NaN of a factor 0 beside an infinity, in a value or in a slope, and prefc has 0: products with an
// operand that may be infinite, and whatever lies in a branch that may not be taken. Elsewhere torch's operators stand as they are.

import { isTokenAxis } from "../core/axis.ts";
import { topological, type Node } from "../core/node.ts";

export interface Guards {
  /** Products that are 0 where one factor is 0 and the other infinite. */
  readonly products: ReadonlySet<Node>;
  /** Terms whose slope may be infinite where a factor 0 waits for it. */
  readonly slopes: ReadonlySet<Node>;
}

const isNonZero = (node: Node): boolean => node.tag === "const" && node.value !== 0;
/** [x = max x], of which there is at least one. */
const isTie = (node: Node): boolean =>
  node.tag === "unary" &&
  node.op === "toReal" &&
  node.args[0].tag === "binary" &&
  node.args[0].op === "eq" &&
  node.args[0].args.some((side) => side.tag === "reduce" && side.op === "max");

/** Whether a term is a number that users and data keep from 0: a parameter, a count, or made of them. */
const isPositive = (node: Node): boolean => {
  if (isNonZero(node) || node.tag === "param" || node.tag === "count") return true;
  if (node.tag === "unary")
    return node.op === "exp" || (node.op === "square" && isPositive(node.args[0]));
  if (node.tag === "reduce")
    return node.op === "sum" && (isPositive(node.args[0]) || isTie(node.args[0]));
  return (
    node.tag === "binary" &&
    (node.op === "plus" || node.op === "times" || node.op === "maximum") &&
    (node.op === "maximum" ? node.args.some(isNonZero) : node.args.every(isPositive))
  );
};

/** Whether a term may be infinite although what it is made of is finite, given which of its arguments may be. */
function mayBeInfinite(node: Node, infinite: ReadonlySet<Node>): boolean {
  const [a, b] = node.args;
  const inherited = node.args.some((arg) => infinite.has(arg));
  if (node.tag === "unary") {
    if (node.op === "log" || node.op === "log1mExp" || node.op === "log1p")
      return !isNonZero(a) && a.tag !== "count";
    return inherited && node.op !== "exp" && node.op !== "sigmoid" && node.op !== "sign";
  }
  if (node.tag === "binary" && node.op === "over") return inherited || !isPositive(b!);
  return inherited && node.dtype === "f32";
}

const singular: ReadonlySet<string> = new Set(["log", "log1p", "log2", "log1mExp", "sqrt"]);

/** Whether a slope may be infinite, or no number, on padding: where a term of tokens is made by an operator with a pole. */
export const hasPoles = (roots: readonly Node[]): boolean =>
  topological(roots).some(
    (node) =>
      node.axes.some(isTokenAxis) &&
      ((node.tag === "unary" && singular.has(node.op)) ||
        (node.tag === "binary" &&
          (node.op === "pow" || (node.op === "over" && !isPositive(node.args[1]))))),
  );

/** Finds what to guard below the roots. */
export function guardsOf(roots: readonly Node[]): Guards {
  const order = topological(roots);
  const infinite = new Set<Node>();
  const products = new Set<Node>();
  const sheltered: Node[] = [];
  for (const node of order) {
    if (mayBeInfinite(node, infinite)) infinite.add(node);
    if (node.tag === "select") sheltered.push(node.args[1], node.args[2]);
    if (node.tag !== "binary" || node.op !== "times") continue;
    const [a, b] = node.args;
    if ((infinite.has(a) && !isNonZero(b)) || (infinite.has(b) && !isNonZero(a))) {
      products.add(node);
      sheltered.push(a, b);
    }
  }
  return { products, slopes: new Set(topological(sheltered)) };
}
