// The expression type that researchers write with. An expression is a function of named index variables; it
// holds one node of the core calculus together with the axes it is seen as a function of, which may be more
// than the node uses. That is why broadcasting needs no operation: in the types it is subtyping.

import { unionAxes, type Axis } from "../core/axis.ts";
import { binary, constant, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { DType, Node } from "../core/node.ts";
import { binaryOps, type BinaryOp } from "../core/ops.ts";
import { checkSameTokens, listAxes, type Axes } from "./axes.ts";
import { describe } from "./check.ts";

declare const AXES: unique symbol;
declare const DTYPE: unique symbol;

/** A real expression over the axes A, or a plain number. */
export type Real<A extends Axes> = Expr<A> | number;
/** An expression over the axes A that can be compared: real or integer. */
export type Comparable = "f32" | "i32";

/**
 * A value of type D for each index in the axes A. Contravariant in A: an expression of fewer axes fits
 * wherever more are expected, never the reverse, and two expressions combine when their axes agree.
 */
export interface Expr<in A extends Axes = {}, out D extends DType = "f32"> {
  readonly [AXES]: (at: A) => void;
  readonly [DTYPE]: D;
  /** The term of the core calculus. */
  readonly node: Node;
  /** The core axes this is seen as a function of: at least those of the node. */
  readonly axes: readonly Axis[];

  plus<B extends Axes>(this: Expr<B>, b: Real<B>): Expr<B>;
  minus<B extends Axes>(this: Expr<B>, b: Real<B>): Expr<B>;
  times<B extends Axes>(this: Expr<B>, b: Real<B>): Expr<B>;
  over<B extends Axes>(this: Expr<B>, b: Real<B>): Expr<B>;

  gt<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
  ge<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
  lt<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
  le<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
  eq<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
  ne<B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;

  and<B extends Axes>(this: Expr<B, "bool">, b: Expr<B, "bool">): Expr<B, "bool">;
  or<B extends Axes>(this: Expr<B, "bool">, b: Expr<B, "bool">): Expr<B, "bool">;
  not<B extends Axes>(this: Expr<B, "bool">): Expr<B, "bool">;
}

/** Any expression at all: the type that every expression is assignable to. */
export type AnyExpr = Expr<never, DType>;

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
  return wrap(binary(op, left.node, right.node), axes);
}

const infix: readonly BinaryOp[] = [
  "plus",
  "minus",
  "times",
  "over",
  "gt",
  "ge",
  "lt",
  "le",
  "eq",
  "ne",
  "and",
  "or",
];

/** The methods that every expression shares. */
const methods: object = {
  ...Object.fromEntries(
    infix.map((op) => [
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
