// The buffers of one compiled objective: made once per role, kept while they are large enough, counted against
// the byte budget before anything is allocated (drivers do not refuse in time), destroyed together.

import { fail } from "../core/error.ts";
import type { Device } from "./device.ts";
import { bufferUsage } from "./usage.ts";

export interface Buffers {
  /** The buffer of a role, at least `bytes` large; its old content is undefined after it grew. */
  get(role: string, bytes: number, usage: number): GPUBuffer;
  /** `get`, then writes the data. */
  upload(role: string, data: Uint32Array | Float32Array | Uint16Array, usage: number): GPUBuffer;
  /** Refuses a need that would pass the budget, counting what is already held. @throws PrefcError byte-budget */
  reserve(need: readonly { readonly role: string; readonly bytes: number }[]): void;
  /** Bytes held now. */
  bytes(): number;
  /** Buffers created so far. */
  created(): number;
  destroy(): void;
}

export const storageUsage: number =
  bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
export const uniformUsage: number = bufferUsage.uniform | bufferUsage.copyTarget;

export function buffers(device: Device): Buffers {
  const held = new Map<string, GPUBuffer>();
  let created = 0;
  const bytes = (): number => [...held.values()].reduce((sum, buffer) => sum + buffer.size, 0);
  const rounded = (size: number): number => Math.max(16, Math.ceil(size / 16) * 16);

  const get = (role: string, size: number, usage: number): GPUBuffer => {
    const known = held.get(role);
    if (known !== undefined && known.size >= rounded(size) && known.usage === usage) return known;
    const limit = device.limits["maxBufferSize"] ?? Infinity;
    if (rounded(size) > limit) {
      fail(
        "buffer-exceeds-limit",
        `The buffer for ${role} needs ${rounded(size)} bytes, but ${device.line} allows ${limit} in one buffer; split the batch.`,
      );
    }
    reserve([{ role, bytes: size }]);
    known?.destroy();
    const buffer = device.gpu.createBuffer({ label: role, size: rounded(size), usage });
    created++;
    held.set(role, buffer);
    return buffer;
  };
  const reserve = (need: readonly { readonly role: string; readonly bytes: number }[]): void => {
    const grown = need.reduce(
      (sum, { role, bytes: size }) =>
        sum + Math.max(0, rounded(size) - (held.get(role)?.size ?? 0)),
      0,
    );
    if (bytes() + grown > device.byteBudget) {
      const largest = need.toSorted((a, b) => b.bytes - a.bytes)[0]!;
      fail(
        "byte-budget",
        `This batch needs ${bytes() + grown} bytes of GPU buffers (the largest is ${largest.role} with ${largest.bytes}), but the byte budget is ${device.byteBudget}; split the batch or open the device with a larger byteBudget.`,
      );
    }
  };
  const upload: Buffers["upload"] = (role, data, usage) => {
    const buffer = get(role, data.byteLength, usage);
    // whole words only: an odd half is written with nothing after it
    const whole = Math.floor(data.byteLength / 4) * 4;
    device.gpu.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, whole);
    if (whole < data.byteLength)
      device.gpu.queue.writeBuffer(buffer, whole, Uint16Array.of(data[data.length - 1]!, 0));
    return buffer;
  };
  const destroy = (): void => {
    for (const buffer of held.values()) buffer.destroy();
    held.clear();
  };
  return { get, upload, reserve, bytes, created: () => created, destroy };
}
