// What a run reads back: parts of buffers, copied one after the other into one staging buffer by the run's own submission.

import type { Buffers } from "./buffers.ts";
import { stagingUsage } from "../device/usage.ts";

/** A part of a buffer to be read: offset and length in bytes, multiples of 4. */
export interface Part {
  readonly source: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

export interface Copies {
  readonly staging: GPUBuffer;
  readonly bytes: number;
  /** The parts in their order, from what the staging buffer held. */
  readonly parts: (read: ArrayBuffer) => readonly ArrayBuffer[];
}

/** Records the copies of all parts. */
export function recordCopies(
  encoder: GPUCommandEncoder,
  held: Buffers,
  parts: readonly Part[],
): Copies {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const staging = held.hold("readback", total, stagingUsage);
  const starts: number[] = [];
  let next = 0;
  for (const { source, offset, bytes } of parts) {
    encoder.copyBufferToBuffer(source, offset, staging, next, bytes);
    starts.push(next);
    next += bytes;
  }
  return {
    staging,
    bytes: total,
    parts: (read) => parts.map(({ bytes }, i) => read.slice(starts[i], starts[i]! + bytes)),
  };
}
