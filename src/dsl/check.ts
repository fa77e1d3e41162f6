// What the surface language says about values that TypeScript would have refused: how a value is described
// in a sentence and which names are accepted.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";

const longestName = 200;

/** A value as a noun phrase: `the string "beta"`, `an array`, `undefined`, … */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return value.length > 40 ? "a long string" : `the string ${cite(value)}`;
    case "number":
      return `the number ${value}`;
    case "boolean":
      return `the boolean ${value}`;
    case "function":
      return "a function";
    case "object":
      return value instanceof Promise ? "a promise" : "an object that is no expression";
    default:
      return `a ${typeof value}`;
  }
}

/** Checks a name given by the user. It may hold any characters: it never reaches generated code. */
export function checkName(what: string, value: unknown): string {
  if (typeof value !== "string")
    return fail("name-not-a-string", `${what}: the name is ${describe(value)}; give a string.`);
  if (value === "")
    return fail(
      "name-empty",
      `${what}: the name is empty; give a string of 1 to ${longestName} characters.`,
    );
  if (value.length > longestName) {
    return fail(
      "name-too-long",
      `${what}: the name has ${value.length} characters; give a string of 1 to ${longestName} characters.`,
    );
  }
  return value;
}

export { didYouMean, listNames } from "../core/names.ts";
export { cite } from "../core/quote.ts";
