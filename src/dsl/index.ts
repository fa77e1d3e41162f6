// The surface language in one place: everything a researcher may write in an objective, and the one error
// type that its checks end in.

export { PrefcError, type ErrorCode } from "../core/error.ts";
export type { DType } from "../core/node.ts";
export type {
  Axes,
  AxisName,
  PerEach,
  PerEachToken,
  PerEachVocab,
  PerExample,
  PerPair,
  PerToken,
  PerVocab,
} from "./axes.ts";
export type { AnyExpr, Comparable, Expr, Real } from "./expr.ts";
export { isExpr } from "./facade.ts";
export * from "./elementwise.ts";
export * from "./functions.generated.ts";
export type { Elementwise, Elementwise2 } from "./pointwise.ts";
export {
  at,
  count,
  iota,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  sum,
  type Reduction,
} from "./reductions.ts";
export { called } from "./called.ts";
export { rank, sort, variance } from "./batch.ts";
export { other, runningLogSumExp, runningMax, runningSum } from "./pairs.ts";
export { constant, param, state, type ParamOptions } from "./param.ts";
export type { InputOptions, NumberKind, Values } from "./declared.ts";
export { list, prompt, type ListResponse, type Response } from "./response.ts";
export type { Model } from "./model.ts";
export { changedGiven, type Given, type Models } from "./given.ts";
export { reads } from "./inspect.ts";
export { isObjective, named, objective, referenceFree } from "./objective.ts";
export type {
  About,
  Build,
  Definition,
  LossAndMetrics,
  Metrics,
  Next,
  Objective,
  ObjectiveOf,
} from "./objective.ts";
