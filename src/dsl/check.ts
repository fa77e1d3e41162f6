// What the surface language says about values that TypeScript would have refused: how a value is described
// in a sentence and which names are accepted.

import { describe as describeValue } from "../core/describe.ts";
import { fail } from "../core/error.ts";

const longestName = 200;

/** A value as a noun phrase, where an expression may be expected. */
export const describe = (value: unknown): string =>
  describeValue(value, "an object that is no expression");

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
export { checkOptions, isListKind, isOptionsObject } from "../core/options.ts";
export { inRange, rangeText, type NumberRange } from "../core/range.ts";
export type { Accepted, KindsOf, ListKind, OptionKind, OptionKinds } from "../core/options.ts";
