// Whether a batch has the form that its type promises, for callers whose data no compiler has seen, such as what was read
// from a file: objects where parts have names, lists of names, and extents.

import { describe } from "../core/describe.ts";
import { fail } from "../core/error.ts";
import { didYouMean, listNames } from "../core/names.ts";
import { cite } from "../core/quote.ts";
import type { Batch } from "./batch.ts";
import type { Height } from "../core/datum.ts";
import { bringsModel } from "./models.ts";

/** Checks that a value is an object with named parts. @throws PrefcError "not-a-record" */
export function requireRecord(value: unknown, what: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  fail("not-a-record", `${what} is ${cite(value)}; give an object with its parts by name.`);
}

/**
 * Checks that a value is a batch; `where` begins the sentence.
 * @throws PrefcError "not-a-batch"
 */
export function requireBatch(where: string, batch: unknown): void {
  const isRecord = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const { examples, vocab, responses, inputs } = (isRecord(batch) ? batch : {}) as Partial<Batch>;
  const hasParts =
    typeof examples === "number" &&
    typeof vocab === "number" &&
    isRecord(responses) &&
    isRecord(inputs) &&
    Object.values(responses!).every(isRecord) &&
    Object.values(inputs!).every(isRecord);
  if (hasParts) return;
  const what = batch instanceof Promise ? "a promise" : describe(batch, "an object that is none");
  fail(
    "not-a-batch",
    `${where}: the batch is ${what}; make one with fromTrl, fromResponses, fromPacked or fromUnpaired.`,
  );
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

/**
 * Checks that every field of a batch is one that its layout has: one of the names, or what a model of any name says.
 * @param where precedes the names of fields in sentences
 * @throws PrefcError "unknown-field"
 */
export function requireFields(
  given: object,
  where: string,
  names: readonly string[],
  heights: readonly Height[],
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || names.includes(name)) continue;
    if (bringsModel(name, heights) && !Object.hasOwn(otherFields, name)) continue;
    const models = heights.flatMap((height) => [`policy_${height}`, `ref_${height}`]);
    const known = [...names, ...models];
    const hint = Object.hasOwn(otherFields, name)
      ? ` ${otherFields[name]!}`
      : didYouMean(name, known);
    fail(
      "unknown-field",
      `${where === "" ? "The batch" : where.replace(/\.$/, "")} has a field ${cite(name)}, which is not read; the fields are ${listNames(known)}.${hint}`,
    );
  }
}

/** What trainers call things that are given otherwise here. */
const otherFields: Readonly<Record<string, string>> = {
  labels: "Give the token ids as input_ids, and completion_mask with 1 where a label is not -100.",
  logits: "Give policy_logits, and ref_logits for the reference.",
  ref_chosen_logps: "Give ref_logps: { chosen: […], rejected: […] }.",
  ref_rejected_logps: "Give ref_logps: { chosen: […], rejected: […] }.",
  vocab: "Did you mean vocab_size?",
};

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
