// How expressions are made: a core node and its axes behind the methods of `Expr`. Whatever the types forbid is
// checked here once more, for those who write JavaScript, and ends in a sentence that names the side and the axes.

import { unionAxes, type Axis } from "../core/axis.ts";
import { binary, constant, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { DType, Node } from "../core/node.ts";
import { binaryNames, binaryOps, type BinaryOp } from "../core/ops.ts";
import { checkSameTokens, listAxes, type Axes } from "./axes.ts";
import { describe } from "./check.ts";
import type { AnyExpr, Expr } from "./expr.ts";

const made = new WeakSet<object>();

export const isExpr = (value: unknown): value is AnyExpr =>
  typeof value === "object" && value !== null && made.has(value);

/** A core node as an expression over its own axes and any others it is to be seen as a function of. */
export function wrap<A extends Axes, D extends DType>(
  node: Node,
  axes: readonly Axis[] = [],
): Expr<A, D> {
  const wrapped: object = Object.create(methods, {
    node: { value: node, enumerable: true },
    axes: { value: unionAxes(node.axes, axes), enumerable: true },
  });
  made.add(Object.freeze(wrapped));
  return wrapped as Expr<A, D>;
}

const advice: Readonly<Record<DType, string>> = {
  f32: "make a real number of it with real(…)",
  i32: "use an integer expression such as the ids of a response",
  bool: "compare it with something first, e.g. .gt(0)",
};

/** A number for use in an expression of this type; `what` begins the sentence of the error. */
function lift(what: string, value: number, dtype: DType): AnyExpr {
  if (!Number.isFinite(value)) {
    fail(
      "number-not-finite",
      `${what} is ${value}; write a finite number, or param("…") for one that is known later.`,
    );
  }
  if (dtype === "i32" && !Number.isInteger(value)) {
    fail(
      "number-not-an-integer",
      `${what} is ${value}, but the other side is i32; write a whole number or use real(…).`,
    );
  }
  return wrap(constant(value, dtype));
}

/** Checks that a value is an expression of one of these types, or a number that can be one. */
export function operand(
  where: string,
  side: string,
  value: unknown,
  allowed: readonly DType[] = ["f32"],
): AnyExpr {
  const what = `${where}: ${side}`;
  const [first] = allowed;
  if (typeof value === "number" && first !== undefined && first !== "bool")
    return lift(what, value, first);
  if (!isExpr(value)) {
    const foreign =
      typeof value === "object" && value !== null && "node" in value && "axes" in value;
    const found = foreign ? "an expression made by another copy of this package" : describe(value);
    return fail(
      "not-an-expression",
      `${what} is ${found}, but it must be an expression${allowed.includes("bool") ? "" : " or a number"}.`,
    );
  }
  const { dtype } = value.node;
  if (!allowed.includes(dtype)) {
    fail(
      "dtype-mismatch",
      `${what} is ${dtype}, but ${where} takes ${allowed.join(" or ")}; ${advice[first ?? "f32"]}.`,
    );
  }
  return value;
}

/** The axes of several operands together; fails when they range over tokens of two responses. */
export function together(where: string, sides: Readonly<Record<string, AnyExpr>>): readonly Axis[] {
  const entries = Object.entries(sides).map(([side, { axes }]) => [side, axes] as const);
  checkSameTokens(where, entries);
  return unionAxes(...entries.map(([, axes]) => axes));
}

/** Applies a binary operator of the core to two operands, either of which may be a number. */
export function combine<A extends Axes, D extends DType>(
  op: BinaryOp,
  a: unknown,
  b: unknown,
): Expr<A, D> {
  const { from, to } = binaryOps[op];
  // arithmetic is on reals; only comparisons take integers as well
  const allowed = to === null ? (["f32"] as const) : from;
  const left = operand(op, "the left side", a, allowed);
  const right = operand(
    op,
    "the right side",
    b,
    typeof b === "number" ? [left.node.dtype] : allowed,
  );
  if (left.node.dtype !== right.node.dtype) {
    fail(
      "dtype-mismatch",
      `${op}: the left side is ${left.node.dtype} and the right side is ${right.node.dtype}; make a real number of one with real(…).`,
    );
  }
  const axes = together(op, { left, right });
  const made = binary(op, left.node, right.node);
  if (made.dtype === "bool") comparisons?.push(made);
  return wrap(made, axes);
}

/** The comparisons that the formula at hand has made; null outside of formulas. */
let comparisons: Node[] | null = null;

/** What a formula returns, and the comparisons that it made on the way. */
export function withComparisons<T>(formula: () => T): readonly [result: T, made: readonly Node[]] {
  const outer = comparisons;
  const own: Node[] = [];
  comparisons = own;
  try {
    return [formula(), own];
  } finally {
    comparisons = outer;
  }
}

const infixNames = binaryNames.filter((op) => binaryOps[op].infix !== undefined);

/** The methods that every expression shares. */
const methods: object = {
  ...Object.fromEntries(
    infixNames.map((op) => [
      op,
      function (this: unknown, other: unknown): AnyExpr {
        return combine(op, this, other);
      },
    ]),
  ),
  not(this: unknown): AnyExpr {
    const x = operand("not", "the operand", this, ["bool"]);
    return wrap(unary("not", x.node), x.axes);
  },
  // JavaScript would turn `a * b` into NaN and `a > b` into a comparison of strings
  [Symbol.toPrimitive](this: AnyExpr, hint: string): string {
    if (hint === "string") return `[expression over ${listAxes(this.axes)}]`;
    return fail(
      "javascript-operator",
      "an expression was used with one of JavaScript's own operators; use its methods, e.g. a.times(b) and a.gt(b).",
    );
  },
};
