// Models as an objective sees them: the policy, which is trained, and any others, which are data: the reference, a policy
// of the past, a teacher. The model without an opinion makes an objective reference-free.

import { tokenAxis } from "../core/axis.ts";
import { constant } from "../core/build.ts";
import { fail } from "../core/error.ts";
import {
  logitsOf,
  logpFromLogits,
  logpsFromLogits,
  perResponse,
  type ModelName,
} from "../core/inputs.ts";
import type {
  PerEach,
  PerEachToken,
  PerEachVocab,
  PerExample,
  PerToken,
  PerVocab,
} from "./axes.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { response, type ListResponse, type Response } from "./response.ts";

/**
 * A language model, evaluated on the responses of a batch. What it says of a single response comes first, for messages, and
 * last, for types that are made of these.
 */
export interface Model {
  /** z: the logits that predict each completion token, before any normalisation. */
  readonly logits: {
    <R extends string>(y: Response<R>): Expr<PerVocab<R>>;
    <N extends string>(y: ListResponse<N>): Expr<PerEachVocab<N>>;
    <R extends string>(y: Response<R>): Expr<PerVocab<R>>;
  };
  /** log π(y_t | x, y<t): the log-probability of each completion token. */
  readonly logp: {
    <R extends string>(y: Response<R>): Expr<PerToken<R>>;
    <N extends string>(y: ListResponse<N>): Expr<PerEachToken<N>>;
    <R extends string>(y: Response<R>): Expr<PerToken<R>>;
  };
  /** log π(y | x): the log-probability of the completion, the sum over its tokens. */
  readonly logps: {
    <R extends string>(y: Response<R>): Expr<PerExample>;
    <N extends string>(y: ListResponse<N>): Expr<PerEach<N>>;
    <R extends string>(y: Response<R>): Expr<PerExample>;
  };
}

/** The model whose logits are data of the batch under this name. */
export function model(name: ModelName): Model {
  const named = (method: string, y: unknown): string => response(`${name}.${method}`, y).name;
  return Object.freeze({
    logits: (y: unknown) => wrap(logitsOf(name, named("logits", y))),
    logp: (y: unknown) => wrap(logpFromLogits(name, named("logp", y))),
    logps: (y: unknown) => wrap(logpsFromLogits(name, named("logps", y))),
  }) as Model;
}

/** The reference of a reference-free objective: every log-probability is 0, and there are no logits. */
export const noReference: Model = Object.freeze({
  logits: () =>
    fail(
      "reference-free-logits",
      "ref.logits: a reference-free objective has no reference logits; keep the reference, or use ref.logp or ref.logps, which are 0.",
    ),
  logp: (y: unknown) => wrap(constant(0), [tokenAxis(response("ref.logp", y).name)]),
  logps: (y: unknown) => wrap(constant(0), perResponse(response("ref.logps", y).name)),
}) as Model;
