// Whether a batch has the form that its type promises, for callers whose data no compiler has seen, such as what was read
// from a file: objects where parts have names, lists of names, and extents.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";

/** Checks that a value is an object with named parts. @throws PrefcError "not-a-record" */
export function requireRecord(value: unknown, what: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  fail("not-a-record", `${what} is ${cite(value)}; give an object with its parts by name.`);
}

/** The parts by name of what may be left out. @throws PrefcError "not-a-record" */
export function partsOf<T>(
  given: Readonly<Record<string, T>> | undefined,
  what: string,
): readonly (readonly [name: string, part: T])[] {
  if (given === undefined || given === null) return [];
  requireRecord(given, what);
  return Object.entries(given);
}

/** Checks a list of different names. @throws PrefcError "names-expected" */
export function requireNames(names: unknown, what: string): void {
  const good =
    Array.isArray(names) &&
    names.length > 0 &&
    names.every((name) => typeof name === "string" && name !== "") &&
    new Set(names).size === names.length;
  if (!good) {
    fail("names-expected", `${what} must be a list of different names, such as ["w", "l"].`);
  }
}

/** Checks the extents of a tensor. @throws PrefcError "shape-mismatch" */
export function requireShape(shape: unknown, what: string): void {
  if (shape === undefined) return;
  const good =
    Array.isArray(shape) &&
    shape.length >= 2 &&
    shape.length <= 3 &&
    // no rows at all have a sentence of their own
    shape.every(
      (extent, position) =>
        Number.isSafeInteger(extent) && (extent as number) >= (position === 0 ? 0 : 1),
    );
  if (!good) {
    fail("shape-mismatch", `${what} must be [rows, length, vocabulary], whole numbers from 1.`);
  }
}
