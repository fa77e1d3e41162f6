// Functions that act at every index alone and are more than one operator of reals: choices, bounds, conversions. Those that
// are one operator are written from its row (functions.generated.ts), and infix operators are methods of the expression.

import { select, stop, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { Axes } from "./axes.ts";
import { describe } from "./check.ts";
import type { Expr, Real } from "./expr.ts";
import { operand, together, wrap } from "./facade.ts";

/** `whenTrue` where the condition holds, `whenFalse` elsewhere; both sides must be defined everywhere. */
export const where = <A extends Axes>(
  condition: Expr<A, "bool">,
  whenTrue: Real<A>,
  whenFalse: Real<A>,
): Expr<A> => {
  const c = operand("where", "the condition", condition, ["bool"]);
  const a = operand("where", "the value when true", whenTrue);
  const b = operand("where", "the value when false", whenFalse);
  const sides = { "the condition": c, "the value when true": a, "the value when false": b };
  const axes = together("where", sides);
  return wrap(select(c.node, a.node, b.node), axes);
};

/** The bounds of `clamp`, each a number or an expression. */
export interface Bounds<A extends Axes> {
  readonly min?: Real<A>;
  readonly max?: Real<A>;
}

/** x kept within bounds. At a bound the gradient passes, beyond it the gradient is 0, as in PyTorch. */
export const clamp = <A extends Axes>(x: Real<A>, bounds: Bounds<A>): Expr<A> => {
  if (typeof bounds !== "object" || bounds === null) {
    return fail(
      "clamp-bounds",
      `clamp: the bounds are ${describe(bounds)}; write clamp(x, { min, max }) with one or both.`,
    );
  }
  const { min, max } = bounds;
  if (min === undefined && max === undefined) {
    return fail(
      "clamp-bounds",
      "clamp: neither min nor max is given; write clamp(x, { min, max }) with one or both.",
    );
  }
  if (typeof min === "number" && typeof max === "number" && min > max) {
    return fail("clamp-bounds", `clamp: min ${min} is larger than max ${max}; exchange them.`);
  }
  const value = operand("clamp", "the value", x) as Expr<A>;
  const bound = (name: "min" | "max", given: Real<A>): Expr<A> =>
    operand("clamp", name, given) as Expr<A>;
  const low = min === undefined ? undefined : bound("min", min);
  const high = max === undefined ? undefined : bound("max", max);
  const raised = low === undefined ? value : where(value.lt(low), low, value);
  return high === undefined ? raised : where(value.gt(high), high, raised);
};

/** A bool (as 0 or 1) or an integer as a real number. */
export const real = <A extends Axes>(x: Expr<A, "bool" | "i32">): Expr<A> => {
  const value = operand("real", "the operand", x, ["bool", "i32"]);
  return wrap(unary("toReal", value.node), value.axes);
};

/** The identity, with derivative zero: what is inside is data to the gradient. */
export const stopGrad = <A extends Axes>(x: Real<A>): Expr<A> => {
  const value = operand("stopGrad", "the operand", x);
  return wrap(stop(value.node), value.axes);
};
