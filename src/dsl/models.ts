// The models that an objective declares beside the policy and the reference, and what it is given as a whole: reading a
// name that there is not ends in a sentence with the names that there are.

import { isModel } from "../core/datum.ts";
import { fail } from "../core/error.ts";
import { checkName, cite, describe, didYouMean, listNames } from "./check.ts";

/** The models that every objective has. */
const usualModels: readonly string[] = ["policy", "ref"];

/** What a formula is given beside models. */
const others: readonly string[] = ["y", "reward", "example", "flag", "each", "tokens"];

/** Checks the models that an objective declares; `where` begins the sentence of the error. */
export function checkModels(where: string, names: unknown): readonly string[] {
  if (names === undefined) return [];
  if (!Array.isArray(names)) {
    return fail(
      "models-not-a-list",
      `${where}: the models are ${describe(names)}; give a list of names such as ["teacher"].`,
    );
  }
  for (const name of names) {
    const text = checkName(`${where}: a model`, name);
    if (!isModel(text) || others.includes(text)) {
      fail(
        "model-name",
        `${where}: a model cannot be called ${cite(text)}; take words of letters and digits joined by "_" that mean nothing else here, such as "teacher".`,
      );
    }
  }
  // "policy" and "ref" are there anyway, and may be named
  return [...new Set(names as readonly string[])].filter((name) => !usualModels.includes(name));
}

/** The same record, which answers any name that it has not with the list of those that it has. */
export function strict<T extends object>(where: string, models: readonly string[], given: T): T {
  return new Proxy(given, {
    get: (target, key) =>
      typeof key !== "string" || key in target
        ? (Reflect.get(target, key) as unknown)
        : fail(
            "unknown-model",
            `${where}: there is no model ${cite(key)}; the models are ${listNames([...usualModels, ...models])}, and others are declared as { source, models: ["teacher"] }.${didYouMean(key, [...usualModels, ...models, ...others])}`,
          ),
  });
}
