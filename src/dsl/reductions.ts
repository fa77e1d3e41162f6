// Functions that bind an axis: they remove it from an expression, or, like logSoftmax, normalise along it.
// The axis comes first and is named as the researcher sees it: "token" means the tokens of the one response
// that the expression ranges over. The extent and the index of an axis are here as well.

import { describeAxis, extentAxes, tokenAxis, type Axis } from "../core/axis.ts";
import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type DType, type Node } from "../core/node.ts";
import type { ReduceOp } from "../core/ops.ts";
import { axisName, axisNamed, checkSameTokens, listAxes, nameOf } from "./axes.ts";
import type { Axes, AxisName, PerExample, PerToken } from "./axes.ts";
import type { AnyExpr, Expr } from "./expr.ts";
import { operand, wrap } from "./facade.ts";
import { response, type Response } from "./response.ts";

/** A reduction over one axis. The result has every axis of the operand but that one. */
export type Reduction = <A extends Axes, X extends keyof A>(
  axis: X,
  e: Expr<A>,
) => Expr<{ [K in Exclude<keyof A, X>]: A[K] }>;

const binds = (node: Node, name: AxisName): boolean =>
  (node.tag === "reduce" || node.tag === "at") && nameOf(node.axis) === name;

/** The core axis of the expression that the name stands for; a sentence if there is none. */
function find(where: string, axis: unknown, e: AnyExpr): Axis {
  const name = axisName(where, axis);
  const found = axisNamed(name, e.axes);
  if (found !== undefined) return found;
  if (topological([e.node]).some((node) => binds(node, name))) {
    return fail(
      "axis-already-reduced",
      `${where}: the ${name} axis was already reduced (the expression ranges over ${listAxes(e.axes)}); remove one of the two reductions.`,
    );
  }
  return fail(
    "axis-not-present",
    `${where}: the expression has no ${name} axis (it ranges over ${listAxes(e.axes)}); reduce one of its own axes, or multiply it by count("${name}"${name === "token" ? ", y" : ""}).`,
  );
}

const without = (e: AnyExpr, axis: Axis): readonly Axis[] =>
  e.axes.filter((other) => other !== axis);

function reduceAlong(where: string, op: ReduceOp, axis: unknown, value: unknown): AnyExpr {
  const e = operand(where, "the expression", value);
  const bound = find(where, axis, e);
  const needing = without(e, bound).find((other) => extentAxes(other).includes(bound));
  if (needing !== undefined) {
    fail(
      "ragged-order",
      `${where}: the expression still ranges over ${describeAxis(needing)}, whose number differs between examples; reduce "token" before "${bound}".`,
    );
  }
  return wrap(core.reduce(op, bound, e.node), without(e, bound));
}

const reduction =
  (op: ReduceOp): Reduction =>
  (axis, e) =>
    reduceAlong(op, op, axis, e) as never;

/** Σ over the axis. */
export const sum: Reduction = reduction("sum");
/** The largest value along the axis. */
export const max: Reduction = reduction("max");
/** log Σ exp along the axis, shifted by the largest value so that nothing overflows. */
export const logSumExp: Reduction = reduction("logSumExp");

/** The smallest value along the axis. */
export const min: Reduction = (axis, e) => {
  const x = operand("min", "the expression", e);
  const most = reduceAlong("min", "max", axis, wrap(core.unary("neg", x.node), x.axes));
  return wrap(core.unary("neg", most.node), most.axes);
};

/** The average along the axis: the sum over its extent. */
export const mean: Reduction = (axis, e) => {
  const x = operand("mean", "the expression", e);
  const bound = find("mean", axis, x);
  const total = reduceAlong("mean", "sum", axis, x);
  return wrap(core.binary("over", total.node, core.count(bound)), total.axes);
};

/** e − log Σ exp e along the axis: logits to log-probabilities. Keeps the axis. */
export const logSoftmax = <A extends Axes, X extends keyof A>(axis: X, e: Expr<A>): Expr<A> => {
  const x = operand("logSoftmax", "the expression", e);
  const total = reduceAlong("logSoftmax", "logSumExp", axis, x);
  return wrap(core.binary("minus", x.node, total.node), x.axes);
};

/** e with the axis set to an index: `at(logits, "vocab", y.ids)` are the logits of the tokens themselves. */
export const at = <A extends Axes, D extends DType, X extends keyof A>(
  e: Expr<A, D>,
  axis: X,
  index: Expr<{ [K in Exclude<keyof A, X>]: A[K] }, "i32">,
): Expr<{ [K in Exclude<keyof A, X>]: A[K] }, D> => {
  const body = operand("at", "the expression", e, ["f32", "i32", "bool"]);
  const bound = find("at", axis, body);
  const position = operand("at", "the index", index, ["i32"]);
  const rest = without(body, bound);
  checkSameTokens("at", [
    ["the expression", rest],
    ["the index", position.axes],
  ]);
  const extra = position.axes.find((other) => !rest.includes(other));
  if (extra !== undefined) {
    fail(
      "index-axis",
      `at: the index ranges over ${describeAxis(extra)}, but the expression without its ${nameOf(bound)} axis ranges over ${listAxes(rest)}; index with fewer axes.`,
    );
  }
  return wrap(core.at(body.node, bound, position.node), rest);
};

function axisOf(where: string, axis: unknown, y: unknown): Axis {
  const name = axisName(where, axis);
  return name === "token" ? tokenAxis(response(where, y).name) : name;
}

/** The extent of an axis as a real number: tokens of a response per example, examples, vocabulary entries. */
export function count<R extends string>(axis: "token", y: Response<R>): Expr<PerExample>;
export function count(axis: "batch" | "vocab"): Expr;
export function count(axis: AxisName, y?: Response<string>): AnyExpr {
  return wrap(core.count(axisOf("count", axis, y)));
}

/** The index along an axis, from zero: the position of a token, an example or a vocabulary entry. */
export function iota<R extends string>(axis: "token", y: Response<R>): Expr<PerToken<R>, "i32">;
export function iota(axis: "batch"): Expr<PerExample, "i32">;
export function iota(axis: "vocab"): Expr<{ vocab: "vocab" }, "i32">;
export function iota(axis: AxisName, y?: Response<string>): AnyExpr {
  return wrap(core.iota(axisOf("iota", axis, y)));
}
