// Rules about index variables: what does not depend on a bound axis leaves the reduction, and substitution moves down to
// the data. Nested reductions keep their order, and a permutation of the batch undoes its inverse.

import { at, binary, count, iota, select, sort, stop, unary } from "../core/build.ts";
import type { DType, Node } from "../core/node.ts";
import {
  binaryNames,
  binaryOps,
  unaryNames,
  unaryOps,
  type BinaryOp,
  type UnaryOp,
} from "../core/ops.ts";
import { nodes, reductions, zero } from "../core/smart.ts";
import { axisVariable, rule, variable, type Rule } from "./rule.ts";

const { log, minus, neg, over, plus, times } = nodes;
const { logSumExp, max, sum } = reductions;

const axis = axisVariable("axis");
const x = variable("x");
const y = variable("y");
const free = variable("free", { without: axis });
const divisor = variable("divisor", { without: axis, domain: [0.1, 4] });
const index = variable("index", { dtype: "i32", domain: [0, 1] });
const condition = variable("condition", { dtype: "bool" });

const reductionRules: readonly Rule[] = [
  rule("sum-free", sum(axis, free), times(count(axis), free)),
  rule("sum-times-free", sum(axis, times(free, x)), times(free, sum(axis, x))),
  // what is kept by a condition is summed once, whatever it is multiplied by
  rule(
    "sum-where-free",
    sum(axis, times(x, select(condition, free, zero))),
    times(free, sum(axis, select(condition, x, zero))),
  ),
  rule(
    "sum-where-times-free",
    sum(axis, select(condition, times(free, x), zero)),
    times(free, sum(axis, select(condition, x, zero))),
  ),
  rule("sum-over-free", sum(axis, over(x, divisor)), over(sum(axis, x), divisor)),
  rule("sum-neg", sum(axis, neg(x)), neg(sum(axis, x))),
  rule("mean-free", over(times(count(axis), x), count(axis)), x),
  rule("max-free", max(axis, free), free),
  rule("max-plus-free", max(axis, plus(x, free)), plus(max(axis, x), free)),
  rule("max-minus-free", max(axis, minus(x, free)), minus(max(axis, x), free)),
  rule("logSumExp-free", logSumExp(axis, free), plus(free, log(count(axis)))),
];

const freeOf = (dtype: DType): Node => variable("free", { dtype, without: axis });
const suffix = (dtype: DType): string => (dtype === "f32" ? "" : `-${dtype}`);
const dtypes: readonly DType[] = ["f32", "i32", "bool"];

const atUnary = (op: UnaryOp, dtype: DType): Rule => {
  const a = variable("a", { dtype, domain: unaryOps[op].sample });
  return rule(
    `at-${op}${suffix(dtype)}`,
    at(unary(op, a), axis, index),
    unary(op, at(a, axis, index)),
  );
};
const atBinary = (op: BinaryOp, dtype: DType): Rule => {
  const [first, second] = binaryOps[op].sample;
  const a = variable("a", { dtype, domain: first });
  const b = variable("b", { dtype, domain: second });
  return rule(
    `at-${op}${suffix(dtype)}`,
    at(binary(op, a, b), axis, index),
    binary(op, at(a, axis, index), at(b, axis, index)),
  );
};
const substitutions: readonly Rule[] = [
  rule("at-iota", at(iota(axis), axis, index), index),
  ...dtypes.map((dtype) =>
    rule(`at-free${suffix(dtype)}`, at(freeOf(dtype), axis, index), freeOf(dtype)),
  ),
  // what is defined by other operators has given way to them before
  ...unaryNames
    .filter((op) => unaryOps[op].definition === undefined)
    .flatMap((op) => unaryOps[op].from.map((dtype) => atUnary(op, dtype))),
  ...binaryNames
    .filter((op) => binaryOps[op].definition === undefined)
    .flatMap((op) => binaryOps[op].from.map((dtype) => atBinary(op, dtype))),
  rule(
    "at-select",
    at(select(condition, x, y), axis, index),
    select(at(condition, axis, index), at(x, axis, index), at(y, axis, index)),
  ),
  rule("at-stop", at(stop(x), axis, index), stop(at(x, axis, index))),
];

// one number per example, and the permutations that put it in order
const value = variable("value", { within: ["batch"] });
const key = variable("key", { within: ["batch"] });
const level = variable("level", { within: [] });
const order = sort("order", "batch", key);
const rank = sort("rank", "batch", key);

const permutations: readonly Rule[] = [
  rule("order-free", sort("order", "batch", level), iota("batch")),
  rule("rank-free", sort("rank", "batch", level), iota("batch")),
  rule("at-own-place", at(value, "batch", iota("batch")), value),
  rule("at-order-rank", at(at(value, "batch", order), "batch", rank), value),
  rule("at-rank-order", at(at(value, "batch", rank), "batch", order), value),
  rule("at-order-of-rank", at(rank, "batch", order), iota("batch")),
  rule("at-rank-of-order", at(order, "batch", rank), iota("batch")),
];

export const indexing: readonly Rule[] = [...reductionRules, ...substitutions, ...permutations];
