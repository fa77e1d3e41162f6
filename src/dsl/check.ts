// What the surface language says about values that TypeScript would have refused: how a value is described
// in a sentence, which names are accepted, and which name was probably meant.

import { fail } from "../core/error.ts";

const longestName = 200;

/** A value as a noun phrase: `the string "beta"`, `an array`, `undefined`, … */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return value.length > 40 ? "a long string" : `the string ${JSON.stringify(value)}`;
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

/** Names in quotes, for a sentence: `"w", "l" and "kl"`. */
export function listNames(names: readonly string[]): string {
  const words = names.map((name) => JSON.stringify(name));
  const last = words.pop();
  if (last === undefined) return "none";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}

/** Number of insertions, deletions, replacements and exchanges of neighbours between two words. */
function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? before[j - 2]! + 1
          : Infinity;
      next.push(Math.min(replaced, exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

/** ` Did you mean "beta"?` when one of the names is close, else the empty string. */
export function didYouMean(given: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({
      name,
      steps: distance(given.slice(0, longestName).toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ name, steps }) => steps <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.steps - b.steps)[0];
  return near === undefined ? "" : ` Did you mean "${near.name}"?`;
}
