// Reading buffers of the device: a staging buffer whose copies have been submitted, and a buffer of any other kind through one.

import { PrefcError } from "../../core/error.ts";
import { cite } from "../../core/quote.ts";
import type { Device } from "./device.ts";
import { requireAlive } from "./lost.ts";
import { destroyQuietly } from "./quietly.ts";
import { asPrefcError, problemError, scoped, type Problem } from "./scopes.ts";
import { bufferUsage, mapMode, stagingUsage } from "./usage.ts";
import { sleepThenAwait, type WaitOptions } from "./wait.ts";

/**
 * The first `byteLength` bytes of a staging buffer whose copies have been submitted, as a copy; the buffer is unmapped
 * afterwards and may be used again. `problem` is what error scopes around that work find. Throws PrefcError "gpu-error" or
 * "gpu-out-of-memory" for a problem, else as `sleepThenAwait` does; the buffer must then be given up, since it may be mapped
 * later.
 */
export const readStaging = async (
  device: Device,
  staging: GPUBuffer,
  byteLength: number,
  during: string,
  options?: WaitOptions,
  problem: Promise<Problem> = Promise.resolve(null),
): Promise<ArrayBuffer> => {
  const map = async (): Promise<undefined> => await staging.mapAsync(mapMode.read, 0, byteLength);
  await sleepThenAwait(
    device,
    during,
    async () => {
      const [mapped] = await Promise.allSettled([map()]);
      // what the GPU refused explains why there is nothing to map
      const found = await problem;
      if (found !== null) throw problemError(device, during, found);
      if (mapped.status === "rejected") throw mapped.reason;
    },
    options,
  );
  const copy = staging.getMappedRange(0, byteLength).slice(0);
  staging.unmap();
  return copy;
};

/**
 * Reads `byteLength` bytes of a buffer from `byteOffset` through a staging buffer of its own; both must be multiples of 4.
 * For small results: reading 128 MiB takes 160 to 200 ms on a software adapter. Throws PrefcError "readback-invalid" for a
 * range outside the buffer, off the 4-byte grid, or a buffer that cannot be copied from; else as `sleepThenAwait` does.
 */
export const readBuffer = async (
  device: Device,
  buffer: GPUBuffer,
  byteOffset: number,
  byteLength: number,
  during: string,
  options?: WaitOptions,
): Promise<ArrayBuffer> => {
  requireAlive(device, during);
  const named = buffer.label === "" ? "a buffer" : `the buffer ${cite(buffer.label)}`;
  const fits = byteOffset >= 0 && byteLength > 0 && byteOffset + byteLength <= buffer.size;
  if (!fits || byteOffset % 4 !== 0 || byteLength % 4 !== 0) {
    throw new PrefcError(
      "readback-invalid",
      `Cannot read bytes ${byteOffset} to ${byteOffset + byteLength} of ${named} of ${buffer.size} bytes; the range must be in the buffer, not empty, and in steps of 4.`,
    );
  }
  if ((buffer.usage & bufferUsage.copySource) === 0) {
    throw new PrefcError(
      "readback-invalid",
      `Cannot read ${named}: it was created without the usage COPY_SRC; add it.`,
    );
  }
  let staging: GPUBuffer | undefined;
  try {
    const { value, problem } = scoped(device, () => {
      staging = device.gpu.createBuffer({
        label: "readback",
        size: byteLength,
        usage: stagingUsage,
      });
      const encoder = device.gpu.createCommandEncoder({ label: "readback" });
      encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength);
      device.gpu.queue.submit([encoder.finish()]);
      return staging;
    });
    return await readStaging(device, value, byteLength, during, options, problem);
  } catch (error) {
    throw asPrefcError(device, during, error);
  } finally {
    destroyQuietly(staging);
  }
};
