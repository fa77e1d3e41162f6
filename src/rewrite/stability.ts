// Identities that hold for real numbers but not for float32, turned towards the side that keeps its digits: sums of
// exponentials that would overflow, logarithms of what has already been rounded to 0 or 1, differences that cancel.
// Wherever a left side has a value, its right side has the same one.

import { binary, constant } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import { nodes, one, reductions } from "../core/smart.ts";
import { axisVariable, rule, variable, type Rule } from "./rule.ts";
import { isNonNegative, isNonPositive } from "./signs.ts";

const {
  abs,
  exp,
  expm1,
  log,
  log1mExp,
  log1p,
  logSigmoid,
  minus,
  neg,
  over,
  plus,
  pow,
  sigmoid,
  sqrt,
  square,
  tanh,
  times,
} = nodes;
const { logSumExp, sum } = reductions;

const axis = axisVariable("axis");
const x = variable("x");
const a = variable("a");
const b = variable("b");
const negative = variable("negative", { domain: [-4, -0.01] });
const positive = variable("positive", { domain: [0.01, 4] });
const aboveMinusOne = variable("aboveMinusOne", { domain: [-0.9, 4] });
const nonNegative = variable("nonNegative", { domain: [0, 4] });
const belowOne = variable("belowOne", { domain: [-4, 0.9] });
const two = constant(2);
const half = constant(0.5);

// Logits of masked vocabulary entries are −∞, and 0·x is 0 for every x: e^{−∞}·e^{∞} is 0, but e^{−∞+∞} is nothing. So
// exponents that could be infinite with opposite signs are not added up.
const offVocab = (of: (variable: Node) => Node): boolean =>
  [a, b].every((one) => !of(one).axes.includes("vocab"));

// 1 − σ(x) rounds to 0 from x = 17 on; σ(−x) keeps all its digits
const sigmoids: readonly Rule[] = [
  rule("one-minus-sigmoid", minus(one, sigmoid(x)), sigmoid(neg(x))),
  rule("sigmoid-minus-one", minus(sigmoid(x), one), neg(sigmoid(neg(x)))),
  rule("log-sigmoid", log(sigmoid(x)), logSigmoid(x)),
  rule("exp-logSigmoid", exp(logSigmoid(x)), sigmoid(x)),
  rule("reciprocal-sigmoid", over(one, plus(one, exp(x))), sigmoid(neg(x))),
  rule("quotient-sigmoid", over(exp(x), plus(one, exp(x))), sigmoid(x)),
  // 2 σ(x) − 1, the expected sign of a preference, loses the digits of a small x
  rule("twice-sigmoid-minus-one", minus(times(two, sigmoid(x)), one), tanh(times(half, x))),
  rule("one-minus-twice-sigmoid", minus(one, times(two, sigmoid(x))), neg(tanh(times(half, x)))),
];

// e^x overflows from x = 89 on, though its logarithm or its product with something small is an ordinary number
const exponentials: readonly Rule[] = [
  rule("log-sum-exp", log(sum(axis, exp(x))), logSumExp(axis, x)),
  rule(
    "log-times-sum-exp",
    log(times(positive, sum(axis, exp(x)))),
    plus(log(positive), logSumExp(axis, x)),
  ),
  rule(
    "log-sum-exp-over",
    log(over(sum(axis, exp(x)), positive)),
    minus(logSumExp(axis, x), log(positive)),
  ),
  rule("log-exp-times", log(times(exp(a), positive)), plus(a, log(positive))),
  rule("log-exp-over", log(over(exp(a), positive)), minus(a, log(positive))),
  // the odds of e^a, whose 1 − e^a has turned negative: the sign has left the quotient
  rule("log-neg-exp-over", log(neg(over(exp(a), negative))), minus(a, log(neg(negative)))),
  rule("log-over-exp", log(over(positive, exp(a))), minus(log(positive), a)),
  rule("square-exp", square(exp(x)), exp(times(two, x))),
  rule("sqrt-exp", sqrt(exp(x)), exp(times(half, x))),
  rule("pow-exp", pow(exp(a), b), exp(times(a, b))),
  rule("log-pow", log(pow(positive, b)), times(b, log(positive)), {
    when: (of) => isNonNegative(of(positive)),
  }),
  rule("exp-times-exp", times(exp(a), exp(b)), exp(plus(a, b)), { when: offVocab }),
  rule("exp-over-exp", over(exp(a), exp(b)), exp(minus(a, b))),
  rule("reciprocal-exp", over(one, exp(x)), exp(neg(x))),
  rule("exp-times-sigmoid", times(exp(a), sigmoid(b)), exp(plus(a, logSigmoid(b))), {
    when: offVocab,
  }),
  rule("exp-over-sigmoid", over(exp(a), sigmoid(b)), exp(minus(a, logSigmoid(b)))),
];

// 1 + x and 1 − e^x lose the digits of a small x
const differences: readonly Rule[] = [
  rule("log-one-plus-exp", log(plus(one, exp(x))), neg(logSigmoid(neg(x)))),
  rule("log1p-exp", log1p(exp(x)), neg(logSigmoid(neg(x)))),
  rule(
    "log-exp-plus-exp",
    log(plus(exp(a), exp(b))),
    minus(binary("maximum", a, b), logSigmoid(abs(minus(a, b)))),
    { when: offVocab },
  ),
  // log(1 − e^x), by the time the logarithm is looked at
  rule("log-neg-expm1", log(neg(expm1(negative))), log1mExp(negative)),
  rule("log1p-neg-exp", log1p(neg(exp(negative))), log1mExp(negative)),
  rule("log1p-neg-sigmoid", log1p(neg(sigmoid(x))), logSigmoid(neg(x))),
  rule("exp-log1mExp", exp(log1mExp(negative)), neg(expm1(negative)), {
    when: (of) => isNonPositive(of(negative)),
  }),
  rule("exp-minus-one", minus(exp(x), one), expm1(x)),
  rule("one-minus-exp", minus(one, exp(x)), neg(expm1(x))),
  rule("expm1-log1p", expm1(log1p(nonNegative)), nonNegative, {
    when: (of) => isNonNegative(of(nonNegative)),
  }),
  rule("log1p-expm1", log1p(expm1(x)), x),
  rule("log-one-minus", log(minus(one, belowOne)), log1p(neg(belowOne))),
  rule("log-one-plus", log(plus(one, aboveMinusOne)), log1p(aboveMinusOne)),
];

export const stability: readonly Rule[] = [...sigmoids, ...exponentials, ...differences];
