// The expression type that researchers write with. An expression is a function of named index variables; it
// holds one node of the core calculus together with the axes it is seen as a function of, which may be more
// than the node uses. That is why broadcasting needs no operation: in the types it is subtyping.

import type { Axis } from "../core/axis.ts";
import type { DType, Node } from "../core/node.ts";
import type { Axes } from "./axes.ts";

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
