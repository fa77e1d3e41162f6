// A response: one completion per example, such as the chosen ("w") or the rejected ("l") one. Its token axis
// holds completion tokens only, so there are no masks in the language.

import { isList, listOf, responseAxis, tokenAxis } from "../core/axis.ts";
import { count } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { idsOf, isPrompt, promptOf } from "../core/inputs.ts";
import type { PerEach, PerEachToken, PerExample, PerToken } from "./axes.ts";
import { checkName, describe } from "./check.ts";
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

/** Any number of completions per example, in the order given: at least one. */
export interface ListResponse<N extends string> {
  readonly name: `${N}[]`;
  /** The completion tokens y_t of each, as vocabulary indices. */
  readonly ids: Expr<PerEachToken<N>, "i32">;
  /** |y_k|, the number of completion tokens of each. */
  readonly count: Expr<PerEach<N>>;
  /** K, how many responses an example has. */
  readonly size: Expr<PerExample>;
}

/**
 * Declares a response of which every example has a list, of any length: `objective("…", [list("y")], …)`. What is said of it
 * ranges over "response" as well.
 * @throws PrefcError name-not-a-string, name-empty, name-too-long
 */
export const list = <const N extends string>(name: N): `${N}[]` => {
  checkName("list", name);
  return listOf(name);
};

const made = new WeakSet<object>();

export function makeResponse<R extends string>(name: R): Response<R> {
  const plain: Response<R> = { name, ids: wrap(idsOf(name)), count: wrap(count(tokenAxis(name))) };
  const y = isList(name) ? { ...plain, size: wrap(count(responseAxis(name))) } : plain;
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
  if (isList(name)) {
    fail(
      "prompt-of-list",
      "prompt: the responses of a list share one prompt, which is no part of any of them; declare a response with the prompt's tokens.",
    );
  }
  if (isPrompt(name)) {
    fail(
      "prompt-of-prompt",
      `prompt: the response ${cite(name)} is itself a prompt; give a completion, e.g. prompt(y.w).`,
    );
  }
  return makeResponse(promptOf(name)) as Response<`${R}.prompt`>;
}
