// The batch of a benchmark: pairs of responses of equal length, logits from a seeded generator that the peers
// repeat bit for bit, made once and kept on the device.

import type { Batch, Device } from "../src/index.ts";
import { bufferUsage } from "../src/runtime/usage.ts";
import { tokensPerResponse } from "./options.ts";

export interface Data {
  readonly rows: number;
  readonly vocab: number;
  readonly pairs: number;
  readonly labels: Uint32Array;
  readonly policy: GPUBuffer;
  readonly reference: GPUBuffer;
  readonly batch: Batch;
  readonly destroy: () => void;
}

/** A number in [−4, 4) from a position: three rounds of a multiplicative hash (Murmur's finaliser). */
function pseudoRandom(position: number, seed: number): number {
  let h = Math.imul(position ^ seed, 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  h = (h ^ (h >>> 16)) >>> 0;
  return h / 2 ** 29 - 4;
}

export function logits(rows: number, vocab: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * vocab);
  for (let i = 0; i < values.length; i++) values[i] = pseudoRandom(i, seed);
  return values;
}

export function labelsOf(rows: number, vocab: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => Math.imul(row, 7919) % vocab);
}

export function makeData({ gpu }: Device, rows: number, vocab: number): Data {
  const upload = (name: string, seed: number): GPUBuffer => {
    const data = logits(rows, vocab, seed);
    const usage = bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
    const buffer = gpu.createBuffer({ label: name, size: data.byteLength, usage });
    gpu.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const policy = upload("policy logits", 1);
  const reference = upload("reference logits", 2);
  const labels = labelsOf(rows, vocab);
  const pairs = rows / (2 * tokensPerResponse);
  const half = rows / 2;
  const offsets = Uint32Array.from({ length: pairs + 1 }, (_, i) => i * tokensPerResponse);
  const rowsFrom = (first: number): Uint32Array =>
    Uint32Array.from({ length: half }, (_, i) => first + i);
  const bind = (name: string, data: GPUBuffer, first: number) => ({
    height: "logits" as const,
    tensor: { name, data, rows },
    rowIndex: rowsFrom(first),
  });
  const batch: Batch = {
    examples: pairs,
    vocab,
    responses: {
      w: { offsets, labels: labels.subarray(0, half) },
      l: { offsets, labels: labels.subarray(half) },
    },
    inputs: {
      "policy.logits.w": bind("policy", policy, 0),
      "policy.logits.l": bind("policy", policy, half),
      "ref.logits.w": bind("ref", reference, 0),
      "ref.logits.l": bind("ref", reference, half),
    },
  };
  const destroy = (): void => {
    policy.destroy();
    reference.destroy();
  };
  return { rows, vocab, pairs, labels, policy, reference, batch, destroy };
}
