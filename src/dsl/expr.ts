// The expression type that researchers write with. An expression is a function of named index variables; it
// holds one node of the core calculus together with the axes it is seen as a function of, which may be more
// than the node uses. That is why broadcasting needs no operation: in the types it is subtyping.

import type { Axis } from "../core/axis.ts";
import type { DType, Node } from "../core/node.ts";
import type { MethodOp } from "../core/ops.ts";
import type { Axes } from "./axes.ts";

declare const AXES: unique symbol;
declare const DTYPE: unique symbol;

/** A real expression over the axes A, or a plain number. */
export type Real<A extends Axes> = Expr<A> | number;
/** An expression over the axes A that can be compared: real or integer. */
export type Comparable = "f32" | "i32";

interface Arithmetic {
  <B extends Axes>(this: Expr<B>, b: Real<B>): Expr<B>;
}
interface Comparison {
  <B extends Axes, E extends Comparable>(
    this: Expr<B, E>,
    b: Expr<B, NoInfer<E>> | number,
  ): Expr<B, "bool">;
}
interface Logical {
  <B extends Axes>(this: Expr<B, "bool">, b: Expr<B, "bool">): Expr<B, "bool">;
}
/** The operators that are written between their operands, as the table has them. */
type Methods = { readonly [Op in MethodOp<"arithmetic">]: Arithmetic } & {
  readonly [Op in MethodOp<"comparison">]: Comparison;
} & { readonly [Op in MethodOp<"logical">]: Logical };

/**
 * A value of type D for each index in the axes A. Contravariant in A: an expression of fewer axes fits
 * wherever more are expected, never the reverse, and two expressions combine when their axes agree.
 */
export interface Expr<in A extends Axes = {}, out D extends DType = "f32"> extends Methods {
  readonly [AXES]: (at: A) => void;
  readonly [DTYPE]: D;
  /** The term of the core calculus. */
  readonly node: Node;
  /** The core axes this is seen as a function of: at least those of the node. */
  readonly axes: readonly Axis[];

  not<B extends Axes>(this: Expr<B, "bool">): Expr<B, "bool">;
}

/** Any expression at all: the type that every expression is assignable to. */
export type AnyExpr = Expr<never, DType>;
