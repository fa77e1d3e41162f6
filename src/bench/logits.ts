// The logits of a benchmark on the device, held there once for all objectives of a shape, and any rows of them as they are
// stored, to compute on the host what the device computes.

import { bufferBytes } from "../batch/logits.ts";
import { bytesPerEntry, toHalf, type StorageType } from "../core/storage.ts";
import type { Device } from "../index.ts";
import { scoped } from "../runtime/device/scopes.ts";
import { bufferUsage } from "../runtime/device/usage.ts";
import { fillRow, nameOfData, type Data, type Model } from "./values.ts";

/** Some rows of a model's logits, in order, as they are stored. */
export function logitsRows(
  model: Model,
  rows: ArrayLike<number>,
  vocab: number,
  dtype: StorageType,
  data: Data,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  const values = new Float32Array(rows.length * vocab);
  for (let i = 0; i < rows.length; i++)
    fillRow(values.subarray(i * vocab, (i + 1) * vocab), rows[i]!, model, data);
  return dtype === "f32" ? values : toHalf(values, dtype);
}

export interface DeviceLogits {
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  readonly data: Data;
  /** Bytes of one tensor. */
  readonly bytes: number;
  readonly policy: GPUBuffer;
  readonly ref: GPUBuffer;
  /** A third buffer of their size, for gradients. */
  readonly gradient: GPUBuffer;
  readonly destroy: () => void;
}

/** What was measured together, as a report titles it. */
export const sectionOf = ({ rows, vocab, dtype, data }: DeviceLogits): string =>
  `${rows} rows × ${vocab}, ${dtype}${data === "uniform" ? "" : `, ${nameOfData(data)} logits`}`;

const chunkBytes = 2 ** 26;

/** @throws Error with one sentence when they do not fit the device */
export async function uploadLogits(
  device: Device,
  rows: number,
  vocab: number,
  dtype: StorageType,
  data: Data,
): Promise<DeviceLogits> {
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
      const values = logitsRows(model, part, vocab, dtype, data);
      const words = new Uint8Array(Math.ceil(values.byteLength / 4) * 4);
      words.set(new Uint8Array(values.buffer));
      device.gpu.queue.writeBuffer(buffer, first * vocab * entryBytes, words);
    }
    return buffer;
  };
  const { value: made, problem } = scoped(device, () => ({
    policy: upload("policy"),
    ref: upload("ref"),
    gradient: make("gradient"),
  }));
  const destroy = (): void => {
    for (const buffer of Object.values(made)) buffer.destroy();
  };
  const found = await problem;
  if (found !== null) {
    destroy();
    throw new Error(
      `--rows ${rows} --vocab ${vocab}: three tensors of ${bytes} bytes do not fit the memory of ${device.line}; measure fewer rows: ${found.message}`,
    );
  }
  return { rows, vocab, dtype, data, bytes, ...made, destroy };
}
