// The operators as functions of core nodes, in two families. `nodes` makes exactly the node that is asked for, which is how
// rules and derivatives are written. `smart` keeps what the compiler itself builds small: zeros and ones disappear, signs
// move outwards, constants fold. Every step of it is an identity of the calculus in which 0·x = 0 for all x, so none
// changes a value; larger simplifications are the rewrite engine's work. Constants whose sum or product is not finite
// stay as they were written, so that a complaint names a number of the objective. A quotient is never made from a
// product with a reciprocal, because 0·(1/0) is 0 and 0/0 is not.

import type { Axis } from "./axis.ts";
import { binary, constant, count, reduce, select, unary } from "./build.ts";
import type { Binary, Node, Unary } from "./node.ts";
import type { Algebra } from "./operators/row.ts";
import { binaryNames, binaryOps, unaryNames, unaryOps, type ReduceOp } from "./ops.ts";

/** Every operator, as the node of its name. */
export const nodes: Algebra<Node> = {
  ...Object.fromEntries(unaryNames.map((op) => [op, (x: Node) => unary(op, x)])),
  ...Object.fromEntries(binaryNames.map((op) => [op, (a: Node, b: Node) => binary(op, a, b)])),
  constant: (value: number) => constant(value),
  select,
} as Algebra<Node>;

const reduction =
  (op: ReduceOp) =>
  (axis: Axis, x: Node): Node =>
    reduce(op, axis, x);
/** The reductions, likewise. */
export const reductions: Readonly<Record<ReduceOp, (axis: Axis, x: Node) => Node>> = {
  sum: reduction("sum"),
  max: reduction("max"),
  logSumExp: reduction("logSumExp"),
};

export const zero: Node = constant(0);
export const one: Node = constant(1);

/** What an operator is made of, as nodes; null where its row has a function or a sign for it. */
export function formOf(node: Unary | Binary, column: "single" | "pair"): Node | null {
  if (node.tag === "unary") {
    const row = unaryOps[node.op];
    const spelling = row[column] ?? row.definition;
    return typeof spelling === "function" ? spelling(nodes, ...node.args) : null;
  }
  const row = binaryOps[node.op];
  const spelling = row[column] ?? row.definition;
  return typeof spelling === "function" ? spelling(nodes, ...node.args) : null;
}

/** Whether a node is a constant, of this value where one is given. */
export const isConstant = (node: Node, value?: number): boolean =>
  node.tag === "const" && (value === undefined || node.value === value);

const isIds = (index: Node): boolean => index.tag === "input" && index.datum.kind === "ids";

const isNegation = (node: Node): node is Unary => node.tag === "unary" && node.op === "neg";

/** The constant that two constants make together, where both are ones and it is finite. */
function folded(a: Node, b: Node, apply: (a: number, b: number) => number): Node | undefined {
  if (a.tag !== "const" || b.tag !== "const") return undefined;
  const value = apply(a.value, b.value);
  return Number.isFinite(value) ? constant(value) : undefined;
}

function neg(x: Node): Node {
  if (x.tag === "const") return constant(0 - x.value);
  return isNegation(x) ? x.args[0] : nodes.neg(x);
}

function plus(a: Node, b: Node): Node {
  if (isConstant(a, 0)) return b;
  if (isConstant(b, 0)) return a;
  return (
    folded(a, b, (x, y) => x + y) ?? (isNegation(b) ? nodes.minus(a, b.args[0]) : nodes.plus(a, b))
  );
}

function times(a: Node, b: Node): Node {
  if (isConstant(a, 0) || isConstant(b, 0)) return zero;
  if (isConstant(a, 1)) return b;
  if (isConstant(b, 1)) return a;
  if (isConstant(a, -1)) return neg(b);
  if (isConstant(b, -1)) return neg(a);
  const constantProduct = folded(a, b, (x, y) => x * y);
  if (constantProduct !== undefined) return constantProduct;
  if (isNegation(a)) return neg(times(a.args[0], b));
  if (isNegation(b)) return neg(times(a, b.args[0]));
  return nodes.times(a, b);
}

/** The operators over what the compiler builds itself. */
export const smart: Algebra<Node> = { ...nodes, neg, plus, times };

/**
 * The value of Σ_axis [axis = i]·x, if that is what the summand is and neither i nor x depends on the axis. Only a token's id
 * is an index that every batch has: of another one, such as the sixth token, the sum may be empty.
 */
function picked(axis: Axis, summand: Node): Node | undefined {
  if (summand.tag !== "select") return undefined;
  const [condition, value, otherwise] = summand.args;
  if (condition.tag !== "binary" || condition.op !== "eq" || !isConstant(otherwise, 0))
    return undefined;
  const [variable, index] = condition.args;
  const bound = variable.tag === "iota" && variable.axis === axis && isIds(index);
  return bound && !index.axes.includes(axis) && !value.axes.includes(axis) ? value : undefined;
}

/** Σ over one axis; a summand that does not have the axis is counted. */
export function sumOver(axis: Axis, summand: Node): Node {
  if (isConstant(summand, 0)) return summand;
  if (!summand.axes.includes(axis)) return times(count(axis), summand);
  if (isNegation(summand)) return neg(sumOver(axis, summand.args[0]));
  return picked(axis, summand) ?? reduce("sum", axis, summand);
}
