// Formulas at the ends of their domains and beyond, with the one meaning that every engine has to give them: a value and a
// slope, or a refusal. docs/language/undefined.md prints this table. The operand x is a number that is differentiated.
import {
  clamp,
  clampedExp,
  constant,
  exp,
  log,
  log1mExp,
  log1p,
  log2,
  maximum,
  minimum,
  neg,
  pow,
  relu,
  sigmoid,
  softplus,
  sqrt,
  square,
  tanh,
  where,
  type Axes,
  type Expr,
} from "../../src/index.ts";

/** A number, or null where the engine refuses with a sentence. */
export type Meaning = number | null;

/** A formula over any axes. */
type Of = <A extends Axes>(x: Expr<A>) => Expr<A>;

export interface Row {
  readonly formula: string;
  readonly of: Of;
  readonly x: number;
  readonly value: Meaning;
  /** d value / d x. */
  readonly slope: Meaning;
  readonly because: string;
}

const row = (
  formula: string,
  of: Of,
  x: number,
  [value, slope]: readonly [Meaning, Meaning],
  because: string,
): Row => ({ formula, of, x, value, slope, because });

const refused = [null, null] as const;

export const table: readonly Row[] = [
  row("square(sqrt(x))", (x) => square(sqrt(x)), -1.5, refused, "√x has no value"),
  row("square(sqrt(x))", (x) => square(sqrt(x)), 2, [2, 1], "inside the domain"),
  row("exp(log(x))", (x) => exp(log(x)), -1.5, refused, "log x has no value"),
  row("exp(log(x))", (x) => exp(log(x)), 2, [2, 1], "inside the domain"),
  row("log(exp(x))", (x) => log(exp(x)), 800, [800, 1], "the function is x, whatever eˣ is"),
  row("log(x)", log, 0, refused, "−∞ is no loss"),
  row("log(x)", log, -2, refused, "outside the domain"),
  row("log2(x)", log2, 0, refused, "as log"),
  row("x · log(x)", (x) => x.times(log(x)), 0, [0, null], "0 · log 0 = 0, with slope −∞"),
  row("0 · log(x)", (x) => constant(0).times(log(x)), -2, [0, 0], "0 · anything = 0"),
  row("log1p(x)", log1p, -1, refused, "as log at 0"),
  row("log1mExp(x)", log1mExp, 0, refused, "log 0"),
  row(
    "log(1 − exp(x))",
    (x) => log(constant(1).minus(exp(x))),
    -1e-20,
    [Math.log(1e-20), -1e20],
    "1 − eˣ is −x",
  ),
  row(
    "log(1 − sigmoid(x))",
    (x) => log(constant(1).minus(sigmoid(x))),
    900,
    [-900, -1],
    "it is log σ(−x)",
  ),
  row("−log(sigmoid(x))", (x) => neg(log(sigmoid(x))), -900, [900, -1], "it is log(1 + e⁻ˣ)"),
  row("sqrt(x)", sqrt, 0, [0, null], "0, with slope ∞"),
  row("sqrt(x)", sqrt, -1, refused, "outside the domain"),
  row("pow(x, 3)", (x) => pow(x, 3), -2, [-8, 12], "whole exponents take any base"),
  row("pow(x, 2)", (x) => pow(x, 2), -2, [4, -4], "whole exponents take any base"),
  row("pow(x, 0.5)", (x) => pow(x, 0.5), -2, refused, "outside the domain"),
  row("pow(x, −1)", (x) => pow(x, -1), 0, refused, "1/0"),
  row("1 / x", (x) => constant(1).over(x), 0, refused, "outside the domain"),
  row("x / x", (x) => x.over(x), 0, refused, "0/0"),
  row("exp(x)", exp, 800, refused, "beyond every engine's numbers"),
  row(
    "clamp(exp(x), max 10)",
    (x) => clamp(exp(x), { max: 10 }),
    800,
    [10, 0],
    "behind the clamp there is no slope",
  ),
  row(
    "minimum(exp(x), 10)",
    (x) => minimum(exp(x), 10),
    800,
    [10, 0],
    "the smaller one has the slope",
  ),
  row(
    "clampedExp(x, 5)",
    (x) => clampedExp(x, 5),
    800,
    [Math.exp(5), 0],
    "the exponent is clamped",
  ),
  row(
    "where(x > 0, 1 / x, 0)",
    (x) => where(x.gt(0), constant(1).over(x), 0),
    0,
    [0, 0],
    "what is not chosen does not matter",
  ),
  row(
    "where(x > 0, log(x), 0)",
    (x) => where(x.gt(0), log(x), 0),
    -1,
    [0, 0],
    "what is not chosen does not matter",
  ),
  row(
    "where(x > 0, sqrt(x), 0)",
    (x) => where(x.gt(0), sqrt(x), 0),
    0,
    [0, 0],
    "what is not chosen does not matter",
  ),
  row("relu(log(x))", (x) => relu(log(x)), -1, refused, "no number is not 0"),
  row("maximum(log(x), 0)", (x) => maximum(log(x), 0), -1, refused, "no number is never left out"),
  row(
    "minimum(0, sqrt(x))",
    (x) => minimum(0, sqrt(x)),
    -1,
    refused,
    "no number is never left out",
  ),
  row("tanh(x)", tanh, 800, [1, 0], "exact in the tails"),
  row("softplus(x)", softplus, 800, [800, 1], "exact in the tails"),
  row("sqrt(square(x))", (x) => sqrt(square(x)), 0, [0, 0], "it is |x|, whose slope at 0 is 0"),
];
