// What an objective is given: the two models, its responses, and the data that may come with each example.

import { binary, constant } from "../core/build.ts";
import { exampleInput, rewardInput, tokenInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import type { PerExample, PerToken } from "./axes.ts";
import { checkName } from "./check.ts";
import { listNames } from "../core/names.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { model, type Model } from "./model.ts";
import { makeResponse, response, type Response } from "./response.ts";
import { cite } from "../core/quote.ts";

/** The policy, which is differentiated, and the reference, which is data. */
export interface Models {
  readonly policy: Model;
  readonly ref: Model;
}

/** Everything that the formula of an objective with responses R may read. */
export interface Given<R extends string> extends Models {
  /** The responses by name. */
  readonly y: { readonly [K in R]: Response<K> };
  /** A reward model's score of a response; differentiated. */
  readonly reward: <K extends R>(y: Response<K>) => Expr<PerExample>;
  /** A number given with each example, such as a margin or a sample weight; not differentiated. */
  readonly example: (name: string) => Expr<PerExample>;
  /** A yes or no given with each example, such as whether its completion is desirable: 1 or 0 in the batch. */
  readonly flag: (name: string) => Expr<PerExample, "bool">;
  /** A number given with each completion token, such as a token weight; not differentiated. */
  readonly tokens: <K extends R>(name: string, y: Response<K>) => Expr<PerToken<K>>;
}

/** The responses by name; reading any other name is an error that lists them. */
function makeResponses(where: string, names: readonly string[]): object {
  const responses: Readonly<Record<string, Response<string>>> = Object.fromEntries(
    names.map((name) => [name, makeResponse(name)]),
  );
  return new Proxy(responses, {
    get: (target, key) =>
      typeof key !== "string" || Object.hasOwn(target, key)
        ? Reflect.get(target, key)
        : fail(
            "unknown-response",
            `${where}: there is no response ${cite(key)}; the objective declares ${listNames(names)}.`,
          ),
  });
}

/** The given of an objective; `where` begins the sentences of its errors. */
export function given<R extends string>(where: string, names: readonly R[]): Given<R> {
  return {
    policy: model("policy"),
    ref: model("ref"),
    y: makeResponses(where, names) as Given<R>["y"],
    reward: (y) => wrap(rewardInput(response("reward", y).name)),
    example: (name) => wrap(exampleInput(checkName("example", name))),
    flag: (name) => wrap(binary("gt", exampleInput(checkName("flag", name)), constant(0.5))),
    tokens: (name, y) => wrap(tokenInput(checkName("tokens", name), response("tokens", y).name)),
  };
}
