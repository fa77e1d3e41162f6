// Logits as callers bring them: a flat typed array or a GPU buffer of a known shape, taken as it stands, perhaps with
// the type that it stores, or arrays nested as in a tensor, which carry their shape. Finding out the vocabulary size is
// part of reading them.

import { fail } from "../core/error.ts";
import type { StorageType } from "../core/storage.ts";
import type { LogitsData, LogitsTensor } from "./batch.ts";
import { capacityOf, checkLogitsData, isGpuBuffer } from "./logits.ts";
import { flatten } from "./numbers.ts";

/** Nested arrays of reals whose innermost lists are rows over the vocabulary. */
export type NestedRows =
  | readonly number[]
  | readonly Float32Array[]
  | readonly Float64Array[]
  | readonly NestedRows[];

/** Logits with the type in which they are stored, raw bits of a 16-bit type or a GPU buffer of any, or with their width. */
export interface StoredLogits {
  readonly data: LogitsData;
  /** "f32" unless it is given. */
  readonly dtype?: StorageType;
  /** Entries of a row, for a model whose vocabulary is not the policy's. */
  readonly vocab_size?: number;
}

/** Logits of any layout whose last axis is the vocabulary. */
export type LogitsSource = Float32Array | Float64Array | GPUBuffer | NestedRows | StoredLogits;

const isStored = (source: LogitsSource): source is StoredLogits =>
  typeof source === "object" &&
  source !== null &&
  !Array.isArray(source) &&
  ("dtype" in source || ("vocab_size" in source && "data" in source));

/** What holds the logits, which two sources may share, and the type. */
export const storedIn = (
  source: LogitsSource,
): {
  readonly data: Exclude<LogitsSource, StoredLogits> | LogitsData;
  readonly dtype: StorageType;
  readonly vocab_size?: number;
} => (isStored(source) ? { dtype: "f32", ...source } : { data: source, dtype: "f32" });

interface Read {
  readonly data: LogitsData;
  readonly dtype: StorageType;
  /** The innermost extent, if the source was nested. */
  readonly width: number | undefined;
}

function read(source: LogitsSource, what: string): Read {
  const { data: given, dtype } = storedIn(source);
  if (dtype !== "f32" || isGpuBuffer(given) || !Array.isArray(given)) {
    checkLogitsData(given, dtype, what);
    return { data: given, dtype, width: undefined };
  }
  const { values, shape } = flatten(given, what);
  const data = values instanceof Float64Array ? values : Float64Array.from(values);
  return { data, dtype, width: shape.length > 1 ? shape.at(-1) : undefined };
}

/**
 * A tensor of `rows` rows and its row width: `vocab` if given, else what the nesting says, else the number of
 * values divided by the rows.
 * @throws PrefcError "logits-dtype", "unknown-dtype", "logits-length", "logits-too-small", "vocabulary-needed", or "vocabulary-differs".
 */
export function readLogits(
  source: LogitsSource,
  name: string,
  what: string,
  rows: number,
  vocab: number | undefined,
): { readonly tensor: LogitsTensor; readonly vocab: number } {
  const { data, dtype, width } = read(source, what);
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
  const held = capacityOf(data, dtype);
  const found = known ?? held / rows;
  if (isGpuBuffer(data) || held === rows * found) {
    const tensor: LogitsTensor =
      dtype === "f32" ? { name, data, rows } : { name, data, rows, dtype };
    if (Number.isInteger(found)) return { tensor, vocab: found };
  }
  return fail(
    held < rows * found ? "logits-too-small" : "logits-length",
    known === undefined
      ? `${what} holds ${held} numbers, which ${rows} rows cannot share evenly; give one row of vocabulary size for each position.`
      : `${what} holds ${held} numbers, but ${rows} rows of ${found} are ${rows * found}; give exactly those.`,
  );
}

/** Rows of another model are taken for its own vocabulary up to this many times as wide or as narrow as the policy's. */
const likelyRatio = 2;

/**
 * The tensor of a model that is not the policy, whose vocabulary may be its own (padded or resized embeddings): as wide as
 * it says, as its nesting shows, or as the rows share its numbers evenly.
 * @throws PrefcError what `readLogits` throws
 */
export function readOther(
  source: LogitsSource,
  name: string,
  what: string,
  rows: number,
  vocab: number,
): LogitsTensor {
  const { data, dtype, width } = read(source, what);
  const { vocab_size } = storedIn(source);
  const held = capacityOf(data, dtype);
  const even = isGpuBuffer(data) ? vocab : held / rows;
  const isLikely =
    Number.isInteger(even) && even < likelyRatio * vocab && vocab < likelyRatio * even;
  const own = vocab_size ?? width ?? (isLikely ? even : vocab);
  if (!isGpuBuffer(data) && own === vocab && held > rows * vocab) {
    fail(
      "logits-length",
      `${what} holds ${held} numbers, but ${rows} rows of ${vocab} are ${rows * vocab}; give exactly those, or say that the model has a vocabulary of its own: { data, vocab_size }.`,
    );
  }
  const { tensor } = readLogits(source, name, what, rows, own);
  return own === vocab ? tensor : { ...tensor, vocab: own };
}
