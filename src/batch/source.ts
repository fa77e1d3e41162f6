// Logits as callers bring them: a flat typed array or a GPU buffer of a known shape, taken as it stands, or arrays
// nested as in a tensor, which carry their shape. Finding out the vocabulary size is part of reading them.

import { fail } from "../core/error.ts";
import type { LogitsData, LogitsTensor } from "./batch.ts";
import { capacityOf, checkLogitsData, isGpuBuffer } from "./logits.ts";
import { flatten } from "./numbers.ts";

/** Nested arrays of reals whose innermost lists are rows over the vocabulary. */
export type NestedRows =
  | readonly number[]
  | readonly Float32Array[]
  | readonly Float64Array[]
  | readonly NestedRows[];

/** Logits of any layout whose last axis is the vocabulary. */
export type LogitsSource = Float32Array | Float64Array | GPUBuffer | NestedRows;

interface Read {
  readonly data: LogitsData;
  /** The innermost extent, if the source was nested. */
  readonly width: number | undefined;
}

function read(source: LogitsSource, what: string): Read {
  if (isGpuBuffer(source) || !Array.isArray(source)) {
    checkLogitsData(source, what);
    return { data: source, width: undefined };
  }
  const { values, shape } = flatten(source, what);
  const data = values instanceof Float64Array ? values : Float64Array.from(values);
  return { data, width: shape.length > 1 ? shape.at(-1) : undefined };
}

/**
 * A tensor of `rows` rows and its row width: `vocab` if given, else what the nesting says, else the number of
 * values divided by the rows.
 * @throws PrefcError "logits-dtype", "logits-length", "logits-too-small", "vocabulary-needed", or "vocabulary-differs".
 */
export function readLogits(
  source: LogitsSource,
  name: string,
  what: string,
  rows: number,
  vocab: number | undefined,
): { readonly tensor: LogitsTensor; readonly vocab: number } {
  const { data, width } = read(source, what);
  if (vocab !== undefined && width !== undefined && vocab !== width) {
    fail(
      "vocabulary-differs",
      `${what} has rows of ${width} numbers, but the vocabulary has ${vocab} entries; make them agree.`,
    );
  }
  const known = vocab ?? width;
  if (known === undefined && isGpuBuffer(data)) {
    return fail(
      "vocabulary-needed",
      `${what} is a GPU buffer, which does not tell the length of its rows; give the vocabulary size too.`,
    );
  }
  const held = capacityOf(data);
  const found = known ?? held / rows;
  if (isGpuBuffer(data) || held === rows * found) {
    if (Number.isInteger(found)) return { tensor: { name, data, rows }, vocab: found };
  }
  return fail(
    held < rows * found ? "logits-too-small" : "logits-length",
    known === undefined
      ? `${what} holds ${held} numbers, which ${rows} rows cannot share evenly; give one row of vocabulary size for each position.`
      : `${what} holds ${held} numbers, but ${rows} rows of ${found} are ${rows * found}; give exactly those.`,
  );
}
