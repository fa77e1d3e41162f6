// An example of each word of the language: a formula that runs as it is printed. The page of the language shows its text and
// the loss that the interpreter finds for it on one small batch, and a spec holds that no word is without one.

import {
  abs,
  at,
  averageLogps,
  called,
  clamp,
  clampedExp,
  constant,
  count,
  entropy,
  exp,
  expm1,
  iota,
  isMostLikely,
  likelihood,
  log,
  log1mExp,
  log1p,
  log2,
  logPi,
  logRatio,
  logSigmoid,
  logSoftmax,
  logSumExp,
  margin,
  max,
  maximum,
  mean,
  min,
  minimum,
  neg,
  other,
  param,
  pow,
  prompt,
  rank,
  real,
  relu,
  runningLogSumExp,
  runningMax,
  runningSum,
  sigmoid,
  sign,
  softplus,
  sort,
  sqrt,
  square,
  stopGrad,
  sum,
  tanh,
  variance,
  where,
  type Expr,
  type Given,
  type Pair,
  type PerExample,
} from "../../src/index.ts";

export type Example = (g: Given<Pair | "y[]">) => Expr<PerExample>;

/** What a formula is given. */
const given: Readonly<Record<string, Example>> = {
  "policy.logits": ({ policy, y }) => sum("token", max("vocab", policy.logits(y.w))),
  "policy.logp": ({ policy, y }) => neg(mean("token", policy.logp(y.w))),
  "policy.logps": ({ policy, ref, y }) => policy.logps(y.w).minus(ref.logps(y.w)),
  y: ({ policy, ref, y }) => ref.logps(y.l).minus(policy.logps(y.l)),
  "y.w.ids": ({ policy, y }) => sum("token", at(policy.logits(y.w), "vocab", y.w.ids)),
  "y.w.count": ({ policy, y }) => policy.logps(y.w).over(y.w.count),
  reward: ({ reward, y }) => neg(logSigmoid(reward(y.w).minus(reward(y.l)))),
  example: ({ policy, y, example }) =>
    policy.logps(y.w).times(example("weight", { from: 0, to: 2 })),
  flag: ({ policy, y, flag }) => where(flag("desirable"), policy.logps(y.w), 0),
  tokens: ({ policy, y, tokens }) => sum("token", tokens("mask", y.w).times(policy.logp(y.w))),
};

/** Functions of a number, at each index alone. */
const elementwise: Readonly<Record<string, Example>> = {
  exp: ({ policy, ref, y }) => exp(policy.logps(y.w).minus(ref.logps(y.w))),
  log: ({ policy, y }) => log(exp(policy.logps(y.w)).plus(1)),
  log1p: ({ policy, y }) => log1p(exp(policy.logps(y.w))),
  expm1: ({ policy, ref, y }) => expm1(policy.logps(y.w).minus(ref.logps(y.w))),
  sigmoid: (g) => sigmoid(margin(g)),
  logSigmoid: (g) => neg(logSigmoid(margin(g).times(param("beta", 0.1)))),
  log1mExp: ({ policy, y }) => log1mExp(policy.logps(y.l)),
  tanh: (g) => tanh(margin(g)),
  softplus: (g) => softplus(neg(margin(g))),
  log2: ({ policy, y }) => log2(exp(neg(policy.logps(y.w)))),
  neg: ({ policy, y }) => neg(policy.logps(y.w)),
  relu: (g) => relu(constant(1).minus(margin(g))),
  abs: (g) => abs(margin(g)),
  sign: (g) => sign(margin(g)),
  square: (g) => square(margin(g).minus(0.5)),
  sqrt: (g) => sqrt(square(margin(g)).plus(1)),
  pow: ({ policy, y }) => pow(exp(policy.logps(y.w)), 0.5),
  minimum: ({ policy, ref, y }) => minimum(exp(policy.logps(y.w).minus(ref.logps(y.w))), 1.2),
  maximum: ({ policy, ref, y }) => maximum(policy.logps(y.w).minus(ref.logps(y.w)), 0),
  clampedExp: ({ policy, ref, y }) => clampedExp(policy.logps(y.w).minus(ref.logps(y.w)), 10),
};

/** Operators between two values. */
const methods: Readonly<Record<string, Example>> = {
  plus: ({ policy, y }) => policy.logps(y.w).plus(policy.logps(y.l)),
  minus: ({ policy, y }) => policy.logps(y.l).minus(policy.logps(y.w)),
  times: (g) => margin(g).times(0.1),
  over: ({ policy, y }) => policy.logps(y.w).over(y.w.count),
  eq: ({ policy, y }) => sum("token", where(y.w.ids.eq(2), 0, policy.logp(y.w))),
  ne: (g) => where(iota("batch").ne(0), margin(g), 0),
  lt: (g) => real(margin(g).lt(0)),
  le: (g) => real(margin(g).le(0)),
  gt: (g) => where(margin(g).gt(1), 1, margin(g)),
  ge: (g) => real(margin(g).ge(0)),
  and: (g) => real(margin(g).gt(-1).and(margin(g).lt(1))),
  or: (g) => real(margin(g).lt(-1).or(margin(g).gt(1))),
  not: (g) => where(g.flag("desirable").not(), margin(g), 0),
};

/** Choices, bounds and conversions. */
const choices: Readonly<Record<string, Example>> = {
  where: (g) => where(margin(g).lt(1), square(margin(g).minus(1)), 0),
  clamp: ({ policy, ref, y }) =>
    clamp(exp(policy.logps(y.w).minus(ref.logps(y.w))), { min: 0.8, max: 1.2 }),
  real: ({ flag }) => real(flag("desirable")),
  stopGrad: ({ policy, y }) => stopGrad(exp(policy.logps(y.w))).times(policy.logps(y.w)),
};

/** Functions along an axis. */
const along: Readonly<Record<string, Example>> = {
  sum: ({ policy, y }) => neg(sum("token", policy.logp(y.w))),
  mean: ({ policy, y }) => neg(mean("token", policy.logp(y.w))),
  max: ({ policy, y }) => mean("token", max("vocab", logPi(policy, y.w))),
  min: ({ policy, y }) => min("token", policy.logp(y.w)),
  logSumExp: ({ policy, y }) => mean("token", logSumExp("vocab", policy.logits(y.w))),
  logSoftmax: ({ policy, y }) =>
    sum("token", at(logSoftmax("vocab", policy.logits(y.w).over(2)), "vocab", y.w.ids)),
  at: ({ policy, y }) => sum("token", at(logPi(policy, y.w), "vocab", y.w.ids)),
  count: ({ policy, y }) =>
    sum("batch", neg(policy.logps(y.w))).over(sum("batch", count("token", y.w))),
  iota: ({ policy, y }) => sum("token", where(iota("token", y.w).lt(1), policy.logp(y.w), 0)),
};

/** Functions of the whole batch. */
const across: Readonly<Record<string, Example>> = {
  variance: (g) => variance("batch", margin(g)),
  rank: (g) => real(rank("batch", margin(g))).times(margin(g)),
  sort: ({ policy, y }) =>
    relu(sort("batch", policy.logps(y.w)).minus(sort("batch", policy.logps(y.l)))),
};

/** Functions of the responses of a list. */
const lists: Readonly<Record<string, Example>> = {
  "y.y.size": ({ policy, y }) => sum("response", policy.logps(y.y)).over(y.y.size),
  each: ({ policy, y, each }) =>
    neg(mean("response", policy.logps(y.y).times(each("advantage", y.y)))),
  runningSum: ({ policy, y }) =>
    max("response", runningSum("response", policy.logps(y.y), { from: "start" })),
  runningMax: ({ policy, y }) =>
    mean("response", runningMax("response", policy.logps(y.y), { from: "end" })),
  runningLogSumExp: ({ policy, y }) => {
    const s = policy.logps(y.y);
    return sum("response", runningLogSumExp("response", s, { from: "end" }).minus(s));
  },
  other: ({ policy, y }) => {
    const s = policy.logps(y.y);
    return sum("response", sum("other", relu(other(s).minus(s))));
  },
};

/** Numbers and names. */
const numbers: Readonly<Record<string, Example>> = {
  constant: (g) => constant(1).minus(margin(g)),
  param: (g) => margin(g).times(param("beta", 0.1, { above: 0 })),
  called: ({ policy, ref, y }) =>
    minimum(called("ratio", exp(policy.logps(y.w).minus(ref.logps(y.w)))), 1.2),
  prompt: ({ policy, y }) => neg(sum("token", policy.logp(prompt(y.w)))),
};

/** Terms that papers share. */
const terms: Readonly<Record<string, Example>> = {
  logPi: ({ policy, y }) => mean("token", max("vocab", logPi(policy, y.w))),
  logRatio: (g) => logRatio(g, g.y.w),
  margin: (g) => neg(logSigmoid(margin(g))),
  entropy: ({ policy, y }) => mean("token", entropy(policy, y.w)),
  isMostLikely: ({ policy, y }) => mean("token", isMostLikely(policy, y.w)),
  averageLogps: ({ policy, y }) => neg(averageLogps(policy, y.w)),
  likelihood: ({ policy, y }) => likelihood(policy, y.w),
};

/** The tables of the page. */
export type Table =
  | "given"
  | "elementwise"
  | "methods"
  | "choices"
  | "along"
  | "across"
  | "lists"
  | "numbers"
  | "terms";
export const tables: Readonly<Record<Table, Readonly<Record<string, Example>>>> = {
  given,
  elementwise,
  methods,
  choices,
  along,
  across,
  lists,
  numbers,
  terms,
};
