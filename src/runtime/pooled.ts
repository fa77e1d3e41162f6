// Reading large results back in parts, through one small staging buffer that is kept: a buffer as large as a gradient
// would be allocated anew in every step, and would double what the gradient takes.

import type { Buffers } from "./buffers.ts";
import type { Device } from "./device.ts";
import { readStaging, requireAlive } from "./readback.ts";
import { bufferUsage } from "./usage.ts";

/** Each part costs a fifth of a millisecond to wait for, and a millisecond or more to copy. */
const partBytes = 4 * 2 ** 20;

/** `byteLength` bytes of a buffer from `byteOffset`, both multiples of 4. Throws as `readStaging` does. */
export async function readPooled(
  device: Device,
  held: Buffers,
  buffer: GPUBuffer,
  byteOffset: number,
  byteLength: number,
  during: string,
): Promise<ArrayBuffer> {
  requireAlive(device, during);
  const usage = bufferUsage.mapRead | bufferUsage.copyTarget;
  const staging = held.get("readback of gradients", Math.min(partBytes, byteLength), usage);
  const result = new Uint8Array(byteLength);
  for (let from = 0; from < byteLength; from += partBytes) {
    const bytes = Math.min(partBytes, byteLength - from);
    const encoder = device.gpu.createCommandEncoder({ label: during });
    encoder.copyBufferToBuffer(buffer, byteOffset + from, staging, 0, bytes);
    device.gpu.queue.submit([encoder.finish()]);
    result.set(new Uint8Array(await readStaging(device, staging, bytes, during)), from);
  }
  return result.buffer;
}
