// Why rewriting stops. Terms are compared by a recursive path order: operators have ranks, a term is above another when
// one of its arguments already is, or when its operator outranks the other's and it is above all arguments of the other,
// or when the operators rank alike and the arguments descend. The order is well founded and survives substitution, so
// checking pattern against result once proves that no sequence of applications of such rules is infinite, however the
// rules interact and however much is shared. A weighted size would not do: `at` and `sum` copy their operands' context.

import type { Node } from "../core/node.ts";
import { binaryOps, unaryOps, type BinaryOp } from "../core/ops.ts";

/**
 * Ranks of what is no operator, among those of the operators, which are in their rows (core/operators): of what is copied by
 * a rule above what it is copied into. What ranks alike may replace each other only where the arguments descend; a rule may
 * bring in only what ranks below something that it removes.
 */
const structureRanks: Readonly<Record<Exclude<Node["tag"], "unary" | "binary">, number>> = {
  at: 220,
  reduce: 210,
  sort: 200,
  select: 100,
  stop: 30,
  count: 20,
  iota: 20,
  param: 20,
  input: 20,
  const: 10,
};

/** Whether the operands of an operator may be exchanged. */
export function isCommutative(op: BinaryOp): boolean {
  return binaryOps[op].commutes === true;
}

function rank(node: Node): number {
  if (node.tag === "unary") return unaryOps[node.op].rank;
  return node.tag === "binary" ? binaryOps[node.op].rank : structureRanks[node.tag];
}

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
