// A response: one completion per example, such as the chosen ("w") or the rejected ("l") one. Its token axis
// holds completion tokens only, so there are no masks in the language.

import { tokenAxis } from "../core/axis.ts";
import { count } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { idsOf, isPrompt, promptOf } from "../core/inputs.ts";
import type { PerExample, PerToken } from "./axes.ts";
import { describe } from "./check.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { cite } from "../core/quote.ts";

/** One completion per example. */
export interface Response<R extends string> {
  readonly name: R;
  /** The completion tokens y_t, as vocabulary indices. */
  readonly ids: Expr<PerToken<R>, "i32">;
  /** |y|, the number of completion tokens. */
  readonly count: Expr<PerExample>;
}

const made = new WeakSet<object>();

export function makeResponse<R extends string>(name: R): Response<R> {
  const y: Response<R> = { name, ids: wrap(idsOf(name)), count: wrap(count(tokenAxis(name))) };
  made.add(Object.freeze(y));
  return y;
}

/** Checks that a value is a response; `where` begins the sentence of the error. */
export function response(where: string, value: unknown): Response<string> {
  if (typeof value === "object" && value !== null && made.has(value))
    return value as Response<string>;
  return fail(
    "unknown-response",
    `${where}: the response is ${describe(value)}; give one of the responses of the objective, e.g. y.w.`,
  );
}

/**
 * The prompt before a response: its tokens y_t with t ≥ 1 (nothing predicts the first), as a response of its own that
 * shares no token with the completion. It need not be declared. Its axis is empty where a prompt has one token only, so
 * it is summed and counted, and never averaged example by example.
 */
export function prompt<R extends string>(y: Response<R>): Response<`${R}.prompt`> {
  const { name } = response("prompt", y);
  if (isPrompt(name)) {
    fail(
      "prompt-of-prompt",
      `prompt: the response ${cite(name)} is itself a prompt; give a completion, e.g. prompt(y.w).`,
    );
  }
  return makeResponse(promptOf(name)) as Response<`${R}.prompt`>;
}
