// Functions that act at every index alone: they keep the axes of their operands. Infix operators are methods
// of the expression (expr.ts); everything else that acts pointwise is here.

import { select, stop, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { UnaryOp } from "../core/ops.ts";
import type { Axes } from "./axes.ts";
import { describe } from "./check.ts";
import type { Expr, Real } from "./expr.ts";
import { combine, operand, together, wrap } from "./facade.ts";

/** A function from reals to reals, applied at every index. */
export type Elementwise = <A extends Axes>(x: Real<A>) => Expr<A>;
/** A function of two reals, applied at every index. */
export type Elementwise2 = <A extends Axes>(a: Real<A>, b: Real<A>) => Expr<A>;

const map =
  (op: UnaryOp): Elementwise =>
  (value) => {
    const x = operand(op, "the operand", value);
    return wrap(unary(op, x.node), x.axes);
  };

/** −x */
export const neg: Elementwise = map("neg");
/** eˣ */
export const exp: Elementwise = map("exp");
/** The natural logarithm, for x > 0. */
export const log: Elementwise = map("log");
/** log(1 + x), precise near 0. */
export const log1p: Elementwise = map("log1p");
/** eˣ − 1, precise near 0. */
export const expm1: Elementwise = map("expm1");
/** σ(x) = 1 / (1 + e⁻ˣ) */
export const sigmoid: Elementwise = map("sigmoid");
/** log σ(x), finite for every finite x. */
export const logSigmoid: Elementwise = map("logSigmoid");
/** log(1 − eˣ) for x < 0, by the branch that does not cancel. */
export const log1mExp: Elementwise = map("log1mExp");
/** max(x, 0); its derivative at 0 is 0. */
export const relu: Elementwise = map("relu");
/** |x|; its derivative at 0 is 0. */
export const abs: Elementwise = map("abs");
/** −1, 0 or 1; its derivative is 0. */
export const sign: Elementwise = map("sign");
/** x² */
export const square: Elementwise = map("square");
/** √x, for x > 0 where it is differentiated. */
export const sqrt: Elementwise = map("sqrt");
/** log(1 + eˣ) = −log σ(−x) */
export const softplus: Elementwise = (x) => neg(logSigmoid(neg(x)));

/** The smaller of two values; at a tie each receives half of the gradient. */
export const minimum: Elementwise2 = (a, b) => combine("minimum", a, b);
/** The larger of two values; at a tie each receives half of the gradient. */
export const maximum: Elementwise2 = (a, b) => combine("maximum", a, b);
/** aᵇ, for a > 0. */
export const pow: Elementwise2 = (a, b) => combine("pow", a, b);

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
