// What a logits tensor may live in, and how to tell. A GPU buffer is recognised by its shape, because the
// class GPUBuffer exists only where some WebGPU implementation has been made global.

import { fail } from "../core/error.ts";
import type { LogitsData } from "./batch.ts";

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

/** How many f32 numbers the data holds. */
export function capacityOf(data: LogitsData): number {
  return isGpuBuffer(data) ? Math.floor(data.size / 4) : data.length;
}

/** How a value is called in a sentence for a person: "Int32Array", "string", "undefined". */
export function describeKind(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value;
  return (value.constructor as { name?: string } | undefined)?.name ?? "object";
}

/**
 * Accepts what may hold logits as it stands.
 * @throws PrefcError "logits-dtype" for anything else, saying how to convert it.
 */
export function checkLogitsData(data: unknown, what: string): asserts data is LogitsData {
  if (data instanceof Float32Array || data instanceof Float64Array || isGpuBuffer(data)) return;
  fail(
    "logits-dtype",
    `${what} is of type ${describeKind(data)}, but logits are read as 32-bit floats; give a Float32Array, a Float64Array or a GPUBuffer of f32 (convert half precision first).`,
  );
}
