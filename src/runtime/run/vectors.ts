// Kernels move logits in vectors of four entries. A tensor whose entries are no multiple of four ends inside a vector, and
// all of that vector must be in the buffer: our own buffers are long enough, a user's own may not be.

import type { Batch, LogitsTensor } from "../../batch/batch.ts";
import { dtypeOf, isGpuBuffer, vocabOf } from "../../batch/logits.ts";
import { bytesPerEntry } from "../../core/storage.ts";
import type { Targets } from "./targets.ts";

/** The longest vector, in bytes. */
const longest = 16;

/** Bytes of some rows, up to the end of the last vector that they reach into. */
export const wholeVectors = (tensor: LogitsTensor, rows: number, batch: Batch): number =>
  Math.ceil((rows * vocabOf(tensor, batch)) / 4) * 4 * bytesPerEntry(dtypeOf(tensor));

/** The largest number of bytes of whole vectors within a limit. */
export const wholeVectorsWithin = (limit: number): number =>
  limit === Infinity ? limit : Math.floor(limit / longest) * longest;

/**
 * Whether every buffer that the user brings has room for the last vector of its tensor. If not, logits are read one at a
 * time, which is correct and slower.
 */
export function endsInWholeVectors(batch: Batch, into: Targets): boolean {
  return Object.values(batch.inputs).every((binding) => {
    if (binding.height !== "logits") return true;
    const { tensor } = binding;
    const needed = wholeVectors(tensor, tensor.rows, batch);
    const fits = (buffer: GPUBuffer | undefined): boolean =>
      buffer === undefined || buffer.size >= needed;
    const target = Object.hasOwn(into, tensor.name) ? into[tensor.name] : undefined;
    return fits(isGpuBuffer(tensor.data) ? tensor.data : undefined) && fits(target);
  });
}
