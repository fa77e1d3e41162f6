// What an objective is given: the models, its responses, and the data that may come with each example.

import { binary, constant } from "../core/build.ts";
import { exampleInput, rewardInput, tokenInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import type { PerExample, PerToken } from "./axes.ts";
import { checkName } from "./check.ts";
import { listNames } from "../core/names.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { model, type Model } from "./model.ts";
import { strict } from "./models.ts";
import { makeResponse, response, type Response } from "./response.ts";
import { cite } from "../core/quote.ts";

/** The policy, which is differentiated, and the reference, which is data. */
export interface Models {
  readonly policy: Model;
  readonly ref: Model;
}

/** What a formula may read beside models that were declared. */
interface Usual<R extends string> extends Models {
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

/** Everything that the formula of an objective with responses R and declared models M may read. */
export type Given<R extends string, M extends string = never> = Usual<R> & {
  readonly [K in M]: Model;
};

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

/** What a formula is given, with some of it changed: how a combinator hands it on. */
export function changedGiven<G extends object>(g: G, change: Partial<G>): G {
  const copy = { ...g, ...change };
  const { where, models } = origins.get(g) ?? { where: "objective", models: [] };
  return remembered(where, models, copy);
}

/** For whom each given was made. */
const origins = new WeakMap<
  object,
  { readonly where: string; readonly models: readonly string[] }
>();

function remembered<G extends object>(where: string, models: readonly string[], g: G): G {
  const made = strict(where, models, g);
  origins.set(made, { where, models });
  return made;
}

/** The given of an objective with further models; `where` begins the sentences of its errors. */
export function given<R extends string>(
  where: string,
  names: readonly R[],
  models: readonly string[] = [],
): Given<R> {
  return remembered(where, models, {
    ...Object.fromEntries(models.map((name) => [name, model(name)])),
    policy: model("policy"),
    ref: model("ref"),
    y: makeResponses(where, names) as Given<R>["y"],
    reward: (y) => wrap(rewardInput(response("reward", y).name)),
    example: (name) => wrap(exampleInput(checkName("example", name))),
    flag: (name) => wrap(binary("gt", exampleInput(checkName("flag", name)), constant(0.5))),
    tokens: (name, y) => wrap(tokenInput(checkName("tokens", name), response("tokens", y).name)),
  });
}
