// How a function of the surface language is made of one operator: it acts at every index alone, and so keeps the axes of its
// operands. The functions themselves are written from the rows of the operators (functions.generated.ts).

import { unary } from "../core/build.ts";
import type { BinaryOp, UnaryOp } from "../core/ops.ts";
import type { Axes } from "./axes.ts";
import type { Expr, Real } from "./expr.ts";
import { combine, operand, wrap } from "./facade.ts";

/** A function from reals to reals, applied at every index. */
export type Elementwise = <A extends Axes>(x: Real<A>) => Expr<A>;
/** A function of two reals, applied at every index. */
export type Elementwise2 = <A extends Axes>(a: Real<A>, b: Real<A>) => Expr<A>;

export const elementwise1 =
  (op: UnaryOp): Elementwise =>
  (value) => {
    const x = operand(op, "the operand", value);
    return wrap(unary(op, x.node), x.axes);
  };

export const elementwise2 =
  (op: BinaryOp): Elementwise2 =>
  (a, b) =>
    combine(op, a, b);
