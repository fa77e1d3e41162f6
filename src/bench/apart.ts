// The same logits with a tensor for each response, as a trainer has them that runs the model once for each: every response's rows
// are copied into buffers of their own, and its gradient is written into one of its own.

import type { Batch, Binding } from "../index.ts";
import type { Input } from "../core/node.ts";
import { bytesPerEntry, fromHalf } from "../core/storage.ts";
import { bufferUsage } from "../runtime/device/usage.ts";
import { readBuffer } from "../runtime/device/read.ts";
import type { Place } from "./provider.ts";
import type { Model } from "./values.ts";

export interface Apart {
  readonly batch: Batch;
  /** Where gradients go, by tensor. */
  readonly into: Readonly<Record<string, GPUBuffer>>;
  /** The gradient of all rows, in the order in which one tensor has them; rows of no response are zero. */
  readonly gradient: () => Promise<Float32Array>;
  readonly destroy: () => void;
}

interface Part {
  readonly first: number;
  readonly rows: number;
}

/** Takes a batch of these inputs apart. `isWritten` says whether the policy's logits have a gradient. */
export function takeApart(
  { device, held, layout }: Place,
  batch: Batch,
  all: readonly Input[],
  isWritten: boolean,
): Apart {
  const { vocab, rowIndex } = layout;
  const rowBytes = vocab * bytesPerEntry(held.dtype);
  const made: GPUBuffer[] = [];
  const usage = bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
  const partOf = (response: string): Part => {
    const index = rowIndex[response]!;
    // an even row, where even 16-bit logits begin at a whole word
    const first = index.reduce((least, row) => Math.min(least, row), Infinity) & ~1;
    const last = index.reduce((most, row) => Math.max(most, row), 0);
    return { first, rows: last + 1 - first };
  };
  const bufferOf = (label: string, { rows }: Part): GPUBuffer => {
    const size = Math.max(16, Math.ceil((rows * rowBytes) / 4) * 4);
    const buffer = device.gpu.createBuffer({ label, size, usage });
    made.push(buffer);
    return buffer;
  };
  const encoder = device.gpu.createCommandEncoder();
  const gradients = new Map<string, { readonly buffer: GPUBuffer; readonly part: Part }>();
  const inputs = all.flatMap(({ name, datum }): (readonly [string, Binding])[] => {
    const binding = batch.inputs[name];
    if (binding === undefined) return [];
    if (binding.height !== "logits" || datum.kind !== "logits") return [[name, binding]];
    const model = binding.tensor.name as Model;
    const { response } = datum;
    const part = partOf(response);
    const buffer = bufferOf(`${model} logits of ${response}`, part);
    const bytes = Math.min(buffer.size, held[model].size - part.first * rowBytes);
    encoder.copyBufferToBuffer(held[model], part.first * rowBytes, buffer, 0, bytes);
    const label = `${model}.${response}`;
    if (model === "policy" && isWritten)
      gradients.set(label, { buffer: bufferOf(`gradient of ${response}`, part), part });
    const tensor = { name: label, data: buffer, rows: part.rows, dtype: held.dtype };
    const own = rowIndex[response]!.map((row) => row - part.first);
    return [[name, { height: "logits", tensor, rowIndex: own }]];
  });
  device.gpu.queue.submit([encoder.finish()]);
  return {
    batch: { ...batch, inputs: Object.fromEntries(inputs) },
    into: Object.fromEntries([...gradients].map(([name, { buffer }]) => [name, buffer])),
    gradient: async () => {
      const all = new Float32Array(layout.rows * vocab);
      for (const { buffer, part } of gradients.values()) {
        const left = await readBuffer(device, buffer, 0, buffer.size, "reading a gradient");
        const entries = part.rows * vocab;
        const values =
          held.dtype === "f32"
            ? new Float32Array(left, 0, entries)
            : fromHalf(new Uint16Array(left, 0, entries), held.dtype);
        values.forEach((value, at) => {
          if (value !== 0) all[part.first * vocab + at] = value;
        });
      }
      return all;
    },
    destroy: () => {
      for (const buffer of made) buffer.destroy();
    },
  };
}
