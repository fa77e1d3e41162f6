// What a logits tensor may live in, how its entries are stored, and how to tell. A GPU buffer is recognised by its
// shape, because the class GPUBuffer exists only where some WebGPU implementation has been made global.

import { fail } from "../core/error.ts";
import {
  bytesPerEntry,
  dtypeAdvice,
  fromHalf,
  storageTypes,
  type StorageType,
} from "../core/storage.ts";
import type { Batch, LogitsData, LogitsTensor } from "./batch.ts";
import { cite } from "../core/quote.ts";

/** Whether a value is a buffer on a GPU. */
export function isGpuBuffer(value: unknown): value is GPUBuffer {
  return (
    typeof value === "object" &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    "size" in value &&
    typeof value.size === "number" &&
    "mapAsync" in value &&
    typeof value.mapAsync === "function"
  );
}

/** How the entries of a tensor are stored. */
export const dtypeOf = ({ dtype = "f32" }: Pick<LogitsTensor, "dtype">): StorageType => dtype;

/** Bytes that so many entries take in a GPU buffer, which is bound in whole words. */
export const bufferBytes = (entries: number, dtype: StorageType): number =>
  Math.ceil((entries * bytesPerEntry(dtype)) / 4) * 4;

/** How many entries of a type the data holds. */
export function capacityOf(data: LogitsData, dtype: StorageType): number {
  if (!isGpuBuffer(data)) return data.length;
  return Math.floor(data.size / 4) * (4 / bytesPerEntry(dtype));
}

/** How a value is called in a sentence for a person: "Int32Array", "string", "undefined". */
export function describeKind(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  // an object's own "constructor" may be anything that a file says
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null;
  const made = prototype?.constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "object";
}

/**
 * Accepts what may hold logits of a type as it stands.
 * @throws PrefcError "unknown-dtype" for a type that is none, and "logits-dtype" for anything that cannot hold entries
 * of it, saying how to convert it.
 */
export function checkLogitsData(
  data: unknown,
  dtype: StorageType,
  what: string,
): asserts data is LogitsData {
  if (!storageTypes.includes(dtype)) {
    fail("unknown-dtype", `${what} has the dtype ${cite(dtype)}; ${dtypeAdvice(dtype)}`);
  }
  const isHalf = dtype !== "f32";
  if (isGpuBuffer(data) || (isHalf && data instanceof Uint16Array)) return;
  if (!isHalf && (data instanceof Float32Array || data instanceof Float64Array)) return;
  fail(
    "logits-dtype",
    isHalf
      ? `${what} is of type ${describeKind(data)}, but its dtype is "${dtype}"; give the raw bits in a Uint16Array (toHalf makes them of numbers) or a GPUBuffer.`
      : `${what} is of type ${describeKind(data)}, but logits are read as 32-bit floats; give a Float32Array, a Float64Array or a GPUBuffer of f32, or 16-bit numbers as { data, dtype: "bf16" or "f16" }.`,
  );
}

/** The numbers of a tensor that is not on a GPU: its own array, or what its bits mean. */
export function numbersIn({ data, dtype }: LogitsTensor): Float32Array | Float64Array | null {
  if (isGpuBuffer(data)) return null;
  if (!(data instanceof Uint16Array)) return data;
  return fromHalf(data, dtype === "f16" ? "f16" : "bf16");
}

/** The width of a tensor's rows. */
export const vocabOf = ({ vocab }: LogitsTensor, batch: Pick<Batch, "vocab">): number =>
  vocab ?? batch.vocab;
