// Constructors that keep a cotangent small while it is built: zeros and ones disappear, signs move outwards,
// constants fold. Every step is an identity of the calculus in which 0·x = 0 for all x, so none of them changes
// a value; larger simplifications are the rewrite engine's work. A quotient is never made from a product
// with a reciprocal, because 0·(1/0) is 0 and 0/0 is not.

import type { Axis } from "../core/axis.ts";
import { binary, constant, count, reduce, unary } from "../core/build.ts";
import type { Node } from "../core/node.ts";

const isIds = (index: Node): boolean => index.tag === "input" && index.datum.kind === "ids";

export const isConstant = (node: Node, value: number): boolean =>
  node.tag === "const" && node.value === value;

const finite = (value: number): Node | undefined =>
  Number.isFinite(value) ? constant(value) : undefined;

export function negate(x: Node): Node {
  if (x.tag === "const") return constant(0 - x.value);
  return x.tag === "unary" && x.op === "neg" ? x.args[0] : unary("neg", x);
}

export function plus(a: Node, b: Node): Node {
  if (isConstant(a, 0)) return b;
  if (isConstant(b, 0)) return a;
  if (a.tag === "const" && b.tag === "const") {
    return finite(a.value + b.value) ?? binary("plus", a, b);
  }
  return b.tag === "unary" && b.op === "neg" ? binary("minus", a, b.args[0]) : binary("plus", a, b);
}

export function times(a: Node, b: Node): Node {
  if (isConstant(a, 0) || isConstant(b, 0)) return constant(0);
  if (isConstant(a, 1)) return b;
  if (isConstant(b, 1)) return a;
  if (isConstant(a, -1)) return negate(b);
  if (isConstant(b, -1)) return negate(a);
  if (a.tag === "const" && b.tag === "const") {
    return finite(a.value * b.value) ?? binary("times", a, b);
  }
  if (a.tag === "unary" && a.op === "neg") return negate(times(a.args[0], b));
  if (b.tag === "unary" && b.op === "neg") return negate(times(a, b.args[0]));
  return binary("times", a, b);
}

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
  if (summand.tag === "unary" && summand.op === "neg")
    return negate(sumOver(axis, summand.args[0]));
  return picked(axis, summand) ?? reduce("sum", axis, summand);
}
