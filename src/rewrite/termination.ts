// Why rewriting stops. Terms are compared by a recursive path order: operators have ranks, a term is above another when
// one of its arguments already is, or when its operator outranks the other's and it is above all arguments of the other,
// or when the operators rank alike and the arguments descend. The order is well founded and survives substitution, so
// checking pattern against result once proves that no sequence of applications of such rules is infinite, however the
// rules interact and however much is shared. A weighted size would not do: `at` and `sum` copy their operands' context.

import type { Node } from "../core/node.ts";
import type { BinaryOp } from "../core/ops.ts";

// Highest first. Operators in one row rank alike; a rule may only bring in operators of rows below what it removes.
const rows: readonly (readonly string[])[] = [
  ["at"],
  ["reduce"],
  ["sort"],
  ["pow"],
  ["log"],
  ["square", "sqrt"],
  ["times"],
  ["over"],
  ["plus", "minus"],
  ["exp"],
  ["log1p", "expm1"],
  ["log1mExp", "logSigmoid", "sigmoid"],
  ["relu", "minimum", "maximum", "select"],
  ["abs", "sign"],
  ["not"],
  ["and", "or"],
  ["gt", "ge", "lt", "le", "eq", "ne"],
  ["toReal"],
  ["neg"],
  ["stop"],
  ["count", "iota", "param", "input"],
  ["const"],
];
const ranks: ReadonlyMap<string, number> = new Map(
  rows.flatMap((row, position) => row.map((name) => [name, rows.length - position] as const)),
);

const commutativeOps: ReadonlySet<BinaryOp> = new Set<BinaryOp>([
  "plus",
  "times",
  "minimum",
  "maximum",
  "and",
  "or",
  "eq",
  "ne",
]);

/** Whether the operands of an operator may be exchanged. */
export function isCommutative(op: BinaryOp): boolean {
  return commutativeOps.has(op);
}

const rank = (node: Node): number =>
  ranks.get(node.tag === "unary" || node.tag === "binary" ? node.op : node.tag)!;

// Exchangeable operands are compared as a multiset; `minus` too, since it ranks with `plus`.
const asMultiset = (node: Node): boolean =>
  node.tag === "binary" && (node.op === "minus" || isCommutative(node.op));

type IsVariable = (node: Node) => boolean;

/** Equal up to the values of constants, the axes of reductions and the order of exchangeable operands. */
function alike(s: Node, t: Node, isVariable: IsVariable): boolean {
  if (s === t) return true;
  if (isVariable(s) || isVariable(t) || rank(s) !== rank(t) || s.args.length !== t.args.length)
    return false;
  const [a, b] = s.args;
  const [c, d] = t.args;
  if (s.args.every((arg, position) => alike(arg, t.args[position]!, isVariable))) return true;
  if (!asMultiset(s) || !asMultiset(t) || !a || !b || !c || !d) return false;
  return alike(a, d, isVariable) && alike(b, c, isVariable);
}

function contains(s: Node, t: Node): boolean {
  return s === t || s.args.some((arg) => contains(arg, t));
}

/** Each side without the elements that it shares with the other. */
function withoutShared(
  s: Node,
  t: Node,
  isVariable: IsVariable,
): readonly [readonly Node[], readonly Node[]] {
  const left = [...s.args];
  const right: Node[] = [];
  for (const arg of t.args) {
    const same = left.findIndex((other) => alike(other, arg, isVariable));
    if (same < 0) right.push(arg);
    else left.splice(same, 1);
  }
  return [left, right];
}

/**
 * Whether `s` is above `t` in the termination order, for all values of the variables. Recursive: it is meant for the
 * small terms of rules.
 */
export function descends(s: Node, t: Node, isVariable: IsVariable): boolean {
  if (isVariable(s)) return false;
  if (isVariable(t)) return s !== t && contains(s, t);
  const above = (a: Node, b: Node): boolean => descends(a, b, isVariable);
  if (s.args.some((arg) => alike(arg, t, isVariable) || above(arg, t))) return true;
  if (rank(s) > rank(t)) return t.args.every((arg) => above(s, arg));
  if (rank(s) < rank(t)) return false;
  if (asMultiset(s) && asMultiset(t)) {
    const [left, right] = withoutShared(s, t, isVariable);
    return left.length > 0 && right.every((arg) => left.some((other) => above(other, arg)));
  }
  const first = s.args.findIndex((arg, position) => {
    const other = t.args[position];
    return other === undefined || !alike(arg, other, isVariable);
  });
  const [mine, other] = [s.args[first], t.args[first]];
  return (
    mine !== undefined &&
    other !== undefined &&
    above(mine, other) &&
    t.args.every((arg) => above(s, arg))
  );
}
