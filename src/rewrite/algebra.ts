// Identities of real arithmetic and of choices, which hold at every rounding or lose nothing by it. Numerically delicate
// identities are in stability.ts, those about axes in indexing.ts. `algebra` is all that makes a term smaller or plainer.

import { binary, constant, select, stop } from "../core/build.ts";
import type { BinaryOp } from "../core/ops.ts";
import { nodes, one, zero } from "../core/smart.ts";
import { definitions } from "./definitions.ts";
import { folding } from "./folding.ts";
import { indexing } from "./indexing.ts";
import { rule, variable, type Rule } from "./rule.ts";
import { isNonNegative, isPositive } from "./signs.ts";

const { abs, exp, log, minus, neg, not, over, plus, pow, sqrt, square, times } = nodes;
const yes = constant(1, "bool");
const no = constant(0, "bool");

const x = variable("x");
const y = variable("y");
const positive = variable("positive", { domain: [1e-3, 8] });
const c = variable("c", { constant: true });
const d = variable("d", { constant: true, domain: [0.1, 4] });
const value = variable("value", { constant: true });
const p = variable("p", { dtype: "bool" });
const q = variable("q", { dtype: "bool" });
const two = constant(2);
const minusOne = constant(-1);

const sums: readonly Rule[] = [
  rule("plus-zero", plus(x, zero), x),
  rule("minus-zero", minus(x, zero), x),
  rule("zero-minus", minus(zero, x), neg(x)),
  rule("minus-self", minus(x, x), zero),
  rule("plus-neg", plus(x, neg(y)), minus(x, y)),
  rule("minus-neg", minus(x, neg(y)), plus(x, y)),
  rule("neg-minus", minus(neg(x), y), neg(plus(x, y))),
  rule("neg-neg", neg(neg(x)), x),
  rule("neg-of-minus", neg(minus(x, y)), minus(y, x)),
  rule("plus-minus-cancel", plus(minus(x, y), y), x),
  rule("minus-plus-cancel", minus(plus(x, y), y), x),
  rule("minus-minus-cancel", minus(x, minus(x, y)), y),
  rule("plus-constants", plus(c, plus(d, x)), plus(value, x), {
    compute: [{ target: value, value: (of) => of(c) + of(d) }],
  }),
];

const products: readonly Rule[] = [
  rule("times-one", times(x, one), x),
  rule("times-zero", times(x, zero), zero),
  rule("times-minus-one", times(x, minusOne), neg(x)),
  rule("times-neg", times(x, neg(y)), neg(times(x, y))),
  rule("times-constants", times(c, times(d, x)), times(value, x), {
    compute: [{ target: value, value: (of) => of(c) * of(d) }],
  }),
  rule("over-one", over(x, one), x),
  rule("over-minus-one", over(x, minusOne), neg(x)),
  rule("zero-over", over(zero, positive), zero, { when: (of) => isPositive(of(positive)) }),
  rule("neg-over", over(neg(x), positive), neg(over(x, positive))),
  rule("over-neg", over(x, neg(positive)), neg(over(x, positive))),
  rule("over-constants", over(times(c, x), d), times(value, x), {
    compute: [{ target: value, value: (of) => of(c) / of(d) }],
  }),
];

const functions: readonly Rule[] = [
  rule("exp-log", exp(log(positive)), positive, { when: (of) => isNonNegative(of(positive)) }),
  rule("log-exp", log(exp(x)), x),
  rule("square-neg", square(neg(x)), square(x)),
  rule("square-abs", square(abs(x)), square(x)),
  rule("square-sqrt", square(sqrt(positive)), positive, {
    when: (of) => isNonNegative(of(positive)),
  }),
  rule("sqrt-square", sqrt(square(x)), abs(x)),
  rule("abs-neg", abs(neg(x)), abs(x)),
  rule("abs-abs", abs(abs(x)), abs(x)),
  rule("pow-zero", pow(positive, zero), one),
  rule("pow-one", pow(positive, one), positive),
  rule("pow-two", pow(positive, two), square(positive)),
  rule("stop-stop", stop(stop(x)), stop(x)),
  rule("stop-constant", stop(c), c),
];

// the complement of a comparison is another comparison
const complements: readonly (readonly [BinaryOp, BinaryOp])[] = [
  ["gt", "le"],
  ["ge", "lt"],
  ["lt", "ge"],
  ["le", "gt"],
  ["eq", "ne"],
  ["ne", "eq"],
];

const choices: readonly Rule[] = [
  rule("select-same", select(p, x, x), x),
  rule("select-true", select(yes, x, y), x),
  rule("select-false", select(no, x, y), y),
  rule("select-not", select(not(p), x, y), select(p, y, x)),
  rule("not-not", not(not(p)), p),
  rule("and-true", binary("and", p, yes), p),
  rule("and-false", binary("and", p, no), no),
  rule("or-true", binary("or", p, yes), yes),
  rule("or-false", binary("or", p, no), p),
  rule("and-same", binary("and", p, p), p),
  rule("or-same", binary("or", p, p), p),
  rule("or-and-absorb", binary("or", p, binary("and", p, q)), p),
  rule("minimum-same", binary("minimum", x, x), x),
  rule("maximum-same", binary("maximum", x, x), x),
  ...complements.map(([op, other]) =>
    rule(`not-${op}`, not(binary(op, x, y)), binary(other, x, y)),
  ),
];

export const algebra: readonly Rule[] = [
  ...folding,
  ...definitions,
  ...sums,
  ...products,
  ...functions,
  ...choices,
  ...indexing,
];
