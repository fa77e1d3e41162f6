// Values of a JSON document together with the place they were read from, so that every mistake in a recorded
// file can be told in one sentence: which file, where in it, what was expected and what stands there.

import { entryPath, memberPath } from "../core/json.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";

/** A value of a JSON document and where it stands. */
export interface Place {
  /** The file's name, as sentences give it. */
  readonly file: string;
  /** JSON path, for example `inputs.policy_logits[0][3]`; empty for the document itself. */
  readonly path: string;
  readonly value: unknown;
}

const shown = (value: unknown): string => {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  // JSON.parse reads a number that is too large as infinite, which JSON cannot spell
  return cite(value);
};

/** Throws the sentence for a value that is not what it should be. */
export function unexpected({ file, path, value }: Place, expected: string): never {
  const where = path === "" ? "the document" : path;
  return fail("golden-malformed", `${file}: ${where} must be ${expected}, but is ${shown(value)}.`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same place as an object. */
export function record(place: Place): Readonly<Record<string, unknown>> {
  return isRecord(place.value) ? place.value : unexpected(place, "an object");
}

/** A member of an object, whose value is undefined when the object has no such member of its own. */
export function member(place: Place, key: string): Place {
  const { file, path } = place;
  const found = record(place);
  const value = Object.hasOwn(found, key) ? found[key] : undefined;
  return { file, path: memberPath(path, key), value };
}

/** The members of an object by name, in the order of the document. */
export function members(place: Place): readonly (readonly [key: string, member: Place])[] {
  return Object.keys(record(place)).map((key) => [key, member(place, key)]);
}

/** The entries of an array. */
export function entries(place: Place): readonly Place[] {
  const { file, path, value } = place;
  if (!Array.isArray(value)) return unexpected(place, "an array");
  return value.map((entry: unknown, index) => ({
    file,
    path: entryPath(path, index),
    value: entry,
  }));
}

export function text(place: Place): string {
  const { value } = place;
  return typeof value === "string" ? value : unexpected(place, "a string");
}

/** A whole number from `least`. */
export function whole(place: Place, least: number): number {
  const { value } = place;
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  return unexpected(place, `a whole number from ${least}`);
}

const spelled: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** A number; those that JSON cannot hold are the strings "NaN", "Infinity" and "-Infinity". */
export function real(place: Place): number {
  const { value } = place;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return (
    spelled.get(value) ?? unexpected(place, 'a number, or one of "NaN", "Infinity" and "-Infinity"')
  );
}

/** A number that is finite. */
export function finite(place: Place): number {
  const value = real(place);
  return Number.isFinite(value) ? value : unexpected(place, "a finite number");
}

/**
 * Numbers nested as a tensor of this shape, in row-major order.
 * Nothing is allocated by the shape alone, which may be a lie.
 */
export function tensor(place: Place, shape: readonly number[]): Float64Array {
  const values: number[] = [];
  const visit = (at: Place, depth: number): void => {
    const extent = shape[depth];
    if (extent === undefined) {
      values.push(real(at));
      return;
    }
    if (!Array.isArray(at.value) || at.value.length !== extent) {
      unexpected(at, `an array of ${extent} (the shape is ${shape.join(" × ")})`);
    }
    for (const entry of entries(at)) visit(entry, depth + 1);
  };
  visit(place, 0);
  return Float64Array.from(values);
}
