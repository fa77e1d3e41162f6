// Functions that bind an axis: they remove it from an expression, or, like logSoftmax, normalise along it.
// The axis comes first and is named as the researcher sees it: "token" means the tokens of the one response
// that the expression ranges over. The extent and the index of an axis are here as well.

import {
  axisOf as coreAxis,
  describeAxis,
  extentAxes,
  isList,
  isOfResponse,
  isOtherAxis,
  isTokenAxis,
  listAlong,
  responseAxis,
  responseOf,
  type Axis,
} from "../core/axis.ts";
import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import { isPrompt } from "../core/inputs.ts";
import { cite } from "../core/quote.ts";
import { topological, type DType, type Node } from "../core/node.ts";
import type { ReduceOp } from "../core/ops.ts";
import { axisName, axisNamed, checkSameTokens, listAxes, nameOf } from "./axes.ts";
import type {
  Axes,
  AxisName,
  PerEach,
  PerEachToken,
  PerExample,
  PerPair,
  PerToken,
} from "./axes.ts";
import type { AnyExpr, Expr } from "./expr.ts";
import { operand, wrap } from "./facade.ts";
import { response, type ListResponse, type Response } from "./response.ts";

/** A reduction over one axis. The result has every axis of the operand but that one. */
export type Reduction = <A extends Axes, X extends keyof A>(
  axis: X,
  e: Expr<A>,
) => Expr<{ [K in Exclude<keyof A, X>]: A[K] }>;

const binds = (node: Node, name: AxisName): boolean =>
  (node.tag === "reduce" || node.tag === "at") && nameOf(node.axis) === name;

/** An expression and the core axis that a name stands for in it. */
export interface Along {
  readonly e: AnyExpr;
  readonly axis: Axis;
}

/** Checks that a value is an expression that has an axis of this name; `where` begins the sentence of the error. */
export function along(
  where: string,
  axis: unknown,
  value: unknown,
  allowed: readonly DType[] = ["f32"],
): Along {
  const name = axisName(where, axis);
  const e = operand(where, "the expression", value, allowed);
  const found = axisNamed(name, e.axes);
  if (found !== undefined) return { e, axis: found };
  if (topological([e.node]).some((node) => binds(node, name))) {
    return fail(
      "axis-already-reduced",
      `${where}: the ${name} axis was already reduced (the expression ranges over ${listAxes(e.axes)}); remove one of the two reductions.`,
    );
  }
  return fail(
    "axis-not-present",
    `${where}: the expression has no ${name} axis (it ranges over ${listAxes(e.axes)}); reduce one of its own axes, or multiply it by count("${name}"${isOfResponse(name) ? ", y" : ""}).`,
  );
}

const without = ({ e, axis }: Along): readonly Axis[] => e.axes.filter((other) => other !== axis);

/** Fails along the tokens of a prompt, of which there may be none: only a sum of nothing is a number. */
function checkInhabited(where: string, axis: Axis): void {
  if (!isTokenAxis(axis) || !isPrompt(responseOf(axis))) return;
  fail(
    "axis-may-be-empty",
    `${where}: ${describeAxis(axis)} may be none in an example, and then there is no ${where}; use sum("token", …) and count("token", …), e.g. over the whole batch.`,
  );
}

function bind(where: string, op: ReduceOp, { e, axis }: Along): AnyExpr {
  if (where !== "sum") checkInhabited(where, axis);
  const rest = without({ e, axis });
  const needing = rest.find((other) => extentAxes(other).includes(axis));
  if (needing !== undefined) {
    fail(
      "ragged-order",
      `${where}: the expression still ranges over ${describeAxis(needing)}, whose number differs between examples; reduce "${nameOf(needing)}" before "${nameOf(axis)}".`,
    );
  }
  return wrap(core.reduce(op, axis, e.node), rest);
}

const reduction =
  (op: ReduceOp): Reduction =>
  (axis, e) =>
    bind(op, op, along(op, axis, e)) as never;

/** Σ over the axis. */
export const sum: Reduction = reduction("sum");
/** The largest value along the axis. */
export const max: Reduction = reduction("max");
/** log Σ exp along the axis, shifted by the largest value so that nothing overflows. */
export const logSumExp: Reduction = reduction("logSumExp");

/** The smallest value along the axis: −max(−e). */
export const min: Reduction = (axis, value) => {
  const found = along("min", axis, value);
  const negated = wrap<Axes, "f32">(core.unary("neg", found.e.node), found.e.axes);
  const most = bind("min", "max", { ...found, e: negated });
  return wrap(core.unary("neg", most.node), most.axes);
};

/** The average along the axis: the sum over its extent. */
export const mean: Reduction = (axis, value) => {
  const found = along("mean", axis, value);
  const total = bind("mean", "sum", found);
  return wrap(core.binary("over", total.node, core.count(found.axis)), total.axes);
};

/** e − log Σ exp e along the axis: logits to log-probabilities. Keeps the axis. */
export const logSoftmax = <A extends Axes, X extends keyof A>(axis: X, value: Expr<A>): Expr<A> => {
  const found = along("logSoftmax", axis, value);
  const total = bind("logSoftmax", "logSumExp", found);
  return wrap(core.binary("minus", found.e.node, total.node), found.e.axes);
};

/** e with the axis set to an index: `at(logits, "vocab", y.ids)` are the logits of the tokens themselves. */
export const at = <A extends Axes, D extends DType, X extends keyof A>(
  e: Expr<A, D>,
  axis: X,
  index: Expr<{ [K in Exclude<keyof A, X>]: A[K] }, "i32">,
): Expr<{ [K in Exclude<keyof A, X>]: A[K] }, D> => {
  const body = along("at", axis, e, ["f32", "i32", "bool"]);
  const position = operand("at", "the index", index, ["i32"]);
  const rest = without(body);
  checkSameTokens("at", [
    ["the expression", rest],
    ["the index", position.axes],
  ]);
  const extra = position.axes.find((other) => !rest.includes(other));
  if (extra !== undefined) {
    fail(
      "index-axis",
      `at: the index ranges over ${describeAxis(extra)}, but the expression without its ${nameOf(body.axis)} axis ranges over ${listAxes(rest)}; index with fewer axes.`,
    );
  }
  return wrap(core.at(body.e.node, body.axis, position.node), rest);
};

function axisOf(where: string, axis: unknown, y: unknown): Axis {
  const name = axisName(where, axis);
  if (!isOfResponse(name)) return coreAxis(name, "");
  const of = response(where, y).name;
  if (name !== "token" && !isList(of)) {
    fail(
      "response-not-a-list",
      `${where}: an example has one response ${cite(of)}, so it has no ${name} axis; declare a list, as in list(${cite(of)}).`,
    );
  }
  return coreAxis(name, of);
}

/** The extent of an axis as a real number: tokens of a response per example, examples, vocabulary entries. */
export function count<R extends string>(axis: "token", y: Response<R>): Expr<PerExample>;
export function count<N extends string>(axis: "token", y: ListResponse<N>): Expr<PerEach<N>>;
export function count<N extends string>(axis: "response", y: ListResponse<N>): Expr<PerExample>;
export function count(axis: "batch" | "vocab"): Expr;
export function count(axis: AxisName, y?: unknown): AnyExpr {
  return wrap(core.count(axisOf("count", axis, y)));
}

/** The index along an axis, from zero: the position of a token, an example or a vocabulary entry. */
export function iota<R extends string>(axis: "token", y: Response<R>): Expr<PerToken<R>, "i32">;
export function iota<N extends string>(
  axis: "token",
  y: ListResponse<N>,
): Expr<PerEachToken<N>, "i32">;
export function iota<N extends string>(
  axis: "response",
  y: ListResponse<N>,
): Expr<PerEach<N>, "i32">;
export function iota<N extends string>(axis: "other", y: ListResponse<N>): Expr<PerPair<N>, "i32">;
export function iota(axis: "batch"): Expr<PerExample, "i32">;
export function iota(axis: "vocab"): Expr<{ vocab: "vocab" }, "i32">;
export function iota(axis: AxisName, y?: unknown): AnyExpr {
  const found = axisOf("iota", axis, y);
  // the second of a pair is one of a pair
  return wrap(core.iota(found), isOtherAxis(found) ? [responseAxis(listAlong(found))] : []);
}
