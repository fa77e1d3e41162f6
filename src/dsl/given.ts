// What an objective is given: the models, its responses, and the data that may come with each example.

import { binary, constant } from "../core/build.ts";
import { isList, ownName } from "../core/axis.ts";
import { eachInput, exampleInput, rewardInput, tokenInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import type { Node } from "../core/node.ts";
import type { PerEach, PerEachToken, PerExample, PerToken } from "./axes.ts";
import { checkName } from "./check.ts";
import { listNames } from "../core/names.ts";
import { Declarations, readDeclaration, type Declared, type InputOptions } from "./declared.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { model, type Model } from "./model.ts";
import { strict } from "./models.ts";
import { makeResponse, response, type ListResponse, type Response } from "./response.ts";
import { cite } from "../core/quote.ts";

/** The policy, which is differentiated, and the reference, which is data. */
export interface Models {
  readonly policy: Model;
  readonly ref: Model;
}

/** What a formula may read beside models that were declared. */
interface Usual<R extends string> extends Models {
  /** The responses by name: `list("y")` is found as `y.y`. */
  readonly y: {
    readonly [K in R as K extends `${infer N}[]` ? N : K]: K extends `${infer N}[]`
      ? ListResponse<N>
      : Response<K>;
  };
  /** A reward model's score of a response, or of each of a list; differentiated. */
  readonly reward: {
    <K extends R>(y: Response<K>): Expr<PerExample>;
    <N extends string>(y: ListResponse<N>): Expr<PerEach<N>>;
    <K extends R>(y: Response<K>): Expr<PerExample>;
  };
  /**
   * A number given with each example, such as a margin or a sample weight. It is data unless it is `learned`; its values
   * may be declared, for `check`: `example("advantage", { from: -2, to: 2 })`.
   */
  readonly example: (name: string, options?: InputOptions) => Expr<PerExample>;
  /** A yes or no given with each example, such as whether its completion is desirable: 1 or 0 in the batch. */
  readonly flag: (name: string) => Expr<PerExample, "bool">;
  /** A number given with each response of a list, such as an advantage; as `example`, it may be learned and declared. */
  readonly each: <N extends string>(
    name: string,
    y: ListResponse<N>,
    options?: InputOptions,
  ) => Expr<PerEach<N>>;
  /** A number given with each completion token, such as a token weight; as `example`, it may be learned and declared. */
  readonly tokens: {
    <N extends string>(
      name: string,
      y: ListResponse<N>,
      options?: InputOptions,
    ): Expr<PerEachToken<N>>;
    <K extends R>(name: string, y: Response<K>, options?: InputOptions): Expr<PerToken<K>>;
  };
}

/** Everything that the formula of an objective with responses R and declared models M may read. */
export type Given<R extends string, M extends string = never> = Usual<R> & {
  readonly [K in M]: Model;
};

/** The responses by name; reading any other name is an error that lists them. */
function makeResponses(where: string, names: readonly string[]): object {
  const responses: Readonly<Record<string, Response<string>>> = Object.fromEntries(
    names.map((name) => [ownName(name), makeResponse(name)]),
  );
  return new Proxy(responses, {
    get: (target, key) =>
      typeof key !== "string" || Object.hasOwn(target, key)
        ? Reflect.get(target, key)
        : fail(
            "unknown-response",
            `${where}: there is no response ${cite(key)}; the objective declares ${listNames(names.map(ownName))}.`,
          ),
  });
}

/** What a formula is given, with some of it changed: how a combinator hands it on. */
export function changedGiven<G extends object>(g: G, change: Partial<G>): G {
  const copy = { ...g, ...change };
  return remembered(origins.get(g) ?? nowhere, copy);
}

/** For whom a given was made, and what has been declared through it. */
interface Origin {
  readonly where: string;
  readonly models: readonly string[];
  readonly declared: Declarations;
}
const nowhere: Origin = { where: "objective", models: [], declared: new Declarations() };

const origins = new WeakMap<object, Origin>();

function remembered<G extends object>(origin: Origin, g: G): G {
  const made = strict(origin.where, origin.models, g);
  origins.set(made, origin);
  return made;
}

/** What has been declared of inputs through a given. */
export const declaredBy = (g: object): Declared => (origins.get(g) ?? nowhere).declared.all();

/** The given of an objective with further models; `where` begins the sentences of its errors. */
export function given<R extends string>(
  where: string,
  names: readonly R[],
  models: readonly string[] = [],
): Given<R> {
  const declared = new Declarations();
  const declare = (input: Node, what: string, options: InputOptions): boolean => {
    const place = `${what} ${cite(input.tag === "input" ? input.name : "")}`;
    const { learned, values } = readDeclaration(place, options);
    if (input.tag === "input") declared.add(place, input.name, values);
    return learned;
  };
  return remembered(
    { where, models, declared },
    {
      ...Object.fromEntries(models.map((name) => [name, model(name)])),
      policy: model("policy"),
      ref: model("ref"),
      y: makeResponses(where, names) as Given<R>["y"],
      reward: (y: unknown) => wrap<{}, "f32">(rewardInput(response("reward", y).name)),
      example: (name, options = {}) => {
        const plain = exampleInput(checkName("example", name));
        return wrap(exampleInput(name, declare(plain, "example", options)));
      },
      flag: (name) => {
        const number = exampleInput(checkName("flag", name));
        declare(number, "flag", { oneOf: [0, 1] });
        return wrap(binary("gt", number, constant(0.5)));
      },
      each: (name, y, options = {}) => {
        const of = response("each", y).name;
        if (!isList(of)) {
          fail(
            "response-not-a-list",
            `each: an example has one response ${cite(of)}; write example(${cite(checkName("each", name))}), or declare a list.`,
          );
        }
        const plain = eachInput(checkName("each", name), of);
        return wrap(eachInput(name, of, declare(plain, "each", options)));
      },
      tokens: (name: string, y: unknown, options: InputOptions = {}) => {
        const of = response("tokens", y).name;
        const plain = tokenInput(checkName("tokens", name), of);
        return wrap<{}, "f32">(tokenInput(name, of, declare(plain, "tokens", options)));
      },
    },
  );
}
