// The logits of a benchmark: numbers that position and seed determine, so that peers repeat them bit for bit and any row
// can be made again on the host; held on the device once for all objectives of a shape.

import { bufferBytes } from "../src/batch/logits.ts";
import { bytesPerEntry, toHalf, type StorageType } from "../src/core/storage.ts";
import type { Device } from "../src/index.ts";
import { bufferUsage } from "../src/runtime/usage.ts";

export const models = ["policy", "ref"] as const;
export type Model = (typeof models)[number];
const seeds: Readonly<Record<Model, number>> = { policy: 1, ref: 2 };

/** A number in [−4, 4) from a position: two rounds of a multiplicative hash (Murmur's finaliser). */
function pseudoRandom(position: number, seed: number): number {
  let h = Math.imul(position ^ seed, 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  h = (h ^ (h >>> 16)) >>> 0;
  return h / 2 ** 29 - 4;
}

/** Some rows of a model's logits, in order, as they are stored. */
export function logitsRows(
  model: Model,
  rows: ArrayLike<number>,
  vocab: number,
  dtype: StorageType,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  const values = new Float32Array(rows.length * vocab);
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * vocab;
    for (let column = 0; column < vocab; column++)
      values[next++] = pseudoRandom(start + column, seeds[model]);
  }
  return dtype === "f32" ? values : toHalf(values, dtype);
}

export interface DeviceLogits {
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  /** Bytes of one tensor. */
  readonly bytes: number;
  readonly policy: GPUBuffer;
  readonly ref: GPUBuffer;
  /** A third buffer of their size, for gradients. */
  readonly gradient: GPUBuffer;
  readonly destroy: () => void;
}

const chunkBytes = 2 ** 26;

/** @throws Error with one sentence when they do not fit the device */
export function uploadLogits(
  device: Device,
  rows: number,
  vocab: number,
  dtype: StorageType,
): DeviceLogits {
  const entryBytes = bytesPerEntry(dtype);
  const bytes = rows * vocab * entryBytes;
  const largest = device.limits["maxBufferSize"] ?? Infinity;
  const room = Math.min(largest, Math.floor(device.byteBudget / 4));
  if (bytes > room) {
    throw new Error(
      `--rows ${rows} --vocab ${vocab}: each tensor of logits takes ${bytes} bytes, more than the ${room} that ${device.line} has room for; measure fewer rows.`,
    );
  }
  const usage = bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
  const make = (label: string): GPUBuffer =>
    device.gpu.createBuffer({ label, size: Math.max(16, bufferBytes(rows * vocab, dtype)), usage });
  const upload = (model: Model): GPUBuffer => {
    const buffer = make(`${model} logits`);
    // an even number of rows, so that each part starts at a whole word
    const step = 2 * Math.max(1, Math.floor(chunkBytes / (2 * vocab * entryBytes)));
    for (let first = 0; first < rows; first += step) {
      const part = Array.from({ length: Math.min(step, rows - first) }, (_, i) => first + i);
      const data = logitsRows(model, part, vocab, dtype);
      const words = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
      words.set(new Uint8Array(data.buffer));
      device.gpu.queue.writeBuffer(buffer, first * vocab * entryBytes, words);
    }
    return buffer;
  };
  const made = { policy: upload("policy"), ref: upload("ref"), gradient: make("gradient") };
  const destroy = (): void => {
    for (const buffer of Object.values(made)) buffer.destroy();
  };
  return { rows, vocab, dtype, bytes, ...made, destroy };
}
