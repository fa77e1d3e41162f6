// Reading large results back in parts, through one small staging buffer that is kept: a buffer as large as a gradient
// would be allocated anew in every step, and would double what the gradient takes.

import type { Device } from "../device/device.ts";
import { readStaging } from "../device/read.ts";
import type { WaitOptions } from "../device/wait.ts";
import { scoped } from "../device/scopes.ts";

/** Each part costs a fifth of a millisecond to wait for, and a millisecond or more to copy. */
export const partBytes: number = 4 * 2 ** 20;

/** The role of the staging buffer, which holds one part. */
export const partRole = "readback of gradients";

/** The first `byteLength` bytes of a buffer, a multiple of 4, through a staging buffer of `partBytes`. Throws as `readStaging` does. */
export async function readInParts(
  device: Device,
  staging: GPUBuffer,
  buffer: GPUBuffer,
  byteLength: number,
  during: string,
  limit: WaitOptions,
): Promise<ArrayBuffer> {
  const result = new Uint8Array(byteLength);
  for (let from = 0; from < byteLength; from += partBytes) {
    const bytes = Math.min(partBytes, byteLength - from);
    const { problem } = scoped(device, () => {
      const encoder = device.gpu.createCommandEncoder({ label: during });
      encoder.copyBufferToBuffer(buffer, from, staging, 0, bytes);
      device.gpu.queue.submit([encoder.finish()]);
    });
    const part = await readStaging(device, staging, bytes, during, limit, problem);
    result.set(new Uint8Array(part), from);
  }
  return result.buffer;
}
