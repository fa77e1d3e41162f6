// The shape that an explanation is for: how many rows of which length. Bytes follow from the shape and the
// program alone, so no batch and no device are needed to count them.

import { PrefcError } from "../core/error.ts";
import { checkedElsewhere, checkOptions, isOptionsObject, type KindsOf } from "../core/options.ts";
import { bytesPerEntry, dtypeAdvice, storageTypes, type StorageType } from "../core/storage.ts";
import { listOfRows, ownName } from "../core/axis.ts";
import { cite } from "../core/quote.ts";

/** Whether the responses of a model share a tensor of logits, or have one each. */
export const layoutKinds = ["stacked", "separate"] as const;
export type LayoutKind = (typeof layoutKinds)[number];

/** Sizes to count bytes for, and how logits lie. */
export interface Shape {
  /** Completion tokens: in all (shared evenly by the responses), or by response. */
  readonly rows: number | Readonly<Record<string, number>>;
  readonly examples: number;
  readonly vocab: number;
  /** Storage of logits and of their gradient. */
  readonly dtype: StorageType;
  /** As `fromTrl` has them ("stacked"), or as `fromResponses` ("separate"), where a pass runs once for each response. */
  readonly layout: LayoutKind;
}
/** A shape with the rows of every response. */
export interface ExactShape {
  readonly rows: Readonly<Record<string, number>>;
  readonly totalRows: number;
  readonly examples: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  readonly bytesPerEntry: number;
  readonly layout: LayoutKind;
}

/** What a caller leaves out: 256 rows, 64 of them to an example, of Llama 2's vocabulary. */
const defaults = {
  rows: 256,
  rowsPerExample: 64,
  vocab: 32_000,
  dtype: "f32",
  layout: "stacked",
} as const;

/** How many responses a list of an example is taken to have. */
const leastListed = 2;

/** @throws PrefcError shape-size */
export function checkSize(name: string, value: number, where = "explain"): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new PrefcError(
    "shape-size",
    `${where}: ${name} is ${cite(value)}; give a whole number of at least 1.`,
  );
}

/** @throws PrefcError unknown-dtype */
export function checkDtype(dtype: StorageType, where = "explain"): StorageType {
  if (storageTypes.includes(dtype)) return dtype;
  throw new PrefcError(
    "unknown-dtype",
    `${where}: there is no dtype ${cite(dtype)}; ${dtypeAdvice(dtype)}`,
  );
}

const shapeOptions: KindsOf<Shape> = {
  rows: {
    expected: "a number, or one for each response",
    fits: (value) => typeof value === "number" || isOptionsObject(value),
  },
  examples: checkedElsewhere,
  vocab: checkedElsewhere,
  dtype: checkedElsewhere,
  layout: layoutKinds,
};

/**
 * Completes a shape for the responses of an objective.
 * @throws PrefcError shape-size, shape-responses, unknown-dtype
 */
export function exactShape(shape: Partial<Shape>, responses: readonly string[]): ExactShape {
  checkOptions("explain", shapeOptions, shape, { example: "{ rows: 256, vocab: 32000 }" });
  const { rows = defaults.rows, vocab = defaults.vocab, dtype = defaults.dtype } = shape;
  const { layout = defaults.layout } = shape;
  checkDtype(dtype);
  const own = responses.filter((response) => listOfRows(response) === null);
  const logits = typeof rows === "number" ? shared(rows, own) : chosen(rows, own);
  const tokens = Object.values(logits).reduce((sum, count) => sum + count, 0);
  const examples = shape.examples ?? Math.ceil(tokens / defaults.rowsPerExample);
  // a list has two responses at least where it is one; a number for each moves next to nothing beside logits
  const listed = responses
    .filter((response) => listOfRows(response) !== null)
    .map((response) => [response, leastListed * examples] as const);
  const byResponse = { ...logits, ...Object.fromEntries(listed) };
  const totalRows = Object.values(byResponse).reduce((sum, count) => sum + count, 0);
  return {
    rows: byResponse,
    totalRows,
    examples: checkSize("examples", examples),
    vocab: checkSize("vocab", vocab),
    dtype,
    bytesPerEntry: bytesPerEntry(dtype),
    layout,
  };
}

function shared(rows: number, responses: readonly string[]): Readonly<Record<string, number>> {
  if (checkSize("rows", rows) < responses.length) {
    throw new PrefcError(
      "shape-size",
      `explain: rows is ${rows}, but the objective has ${responses.length} responses of at least one row each.`,
    );
  }
  const each = Math.floor(rows / responses.length);
  const rest = rows % responses.length;
  return Object.fromEntries(
    responses.map((response, position) => [response, each + (position < rest ? 1 : 0)]),
  );
}

function chosen(
  rows: Readonly<Record<string, number>>,
  responses: readonly string[],
): Readonly<Record<string, number>> {
  const names = responses.map(ownName);
  for (const response of new Set([...names, ...Object.keys(rows)])) {
    if (names.includes(response) && Object.hasOwn(rows, response)) continue;
    throw new PrefcError(
      "shape-responses",
      `explain: rows must have a number for each response (${names.join(", ")}) and nothing else; ${cite(response)} does not fit.`,
    );
  }
  return Object.fromEntries(
    responses.map((response) => [
      response,
      checkSize(`rows of ${cite(ownName(response))}`, rows[ownName(response)]!),
    ]),
  );
}
