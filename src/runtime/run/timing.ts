// How long each dispatch ran on the GPU, by timestamps that the GPU writes itself. A run that is profiled records
// one compute pass for each dispatch; otherwise all dispatches share one pass and nothing is measured.

import { fail } from "../../core/error.ts";
import { destroyQuietly } from "../device/quietly.ts";
import type { Device } from "../device/device.ts";
import { readBuffer } from "../device/read.ts";
import type { WaitOptions } from "../device/wait.ts";
import { bufferUsage } from "../device/usage.ts";

/** GPU time of one dispatch. */
export interface DispatchTime {
  /** The kernel's name. */
  readonly kernel: string;
  readonly milliseconds: number;
}
export interface Timer {
  /** Where the pass of a dispatch writes its timestamps. */
  writes(dispatch: number): GPUComputePassTimestampWrites;
  /** Records the copy of all timestamps; call after the last pass. */
  resolve(encoder: GPUCommandEncoder): void;
  /** The times, when the submission is done. Frees the timer. */
  read(kernels: readonly string[], wait: WaitOptions): Promise<readonly DispatchTime[]>;
  /** Frees a timer that is not read. */
  dispose(): void;
}

/** @throws PrefcError timestamps-missing when the adapter cannot write timestamps. */
export function timer(device: Device, dispatches: number): Timer {
  if (!device.features.includes("timestamp-query")) {
    fail(
      "timestamps-missing",
      `${device.line} cannot time its own work (no timestamp-query feature); measure wall time instead.`,
    );
  }
  const set = device.gpu.createQuerySet({ type: "timestamp", count: 2 * dispatches });
  const buffer = device.gpu.createBuffer({
    label: "timestamps",
    size: 16 * dispatches,
    usage: bufferUsage.queryResolve | bufferUsage.copySource,
  });
  const dispose = (): void => {
    destroyQuietly(buffer);
    destroyQuietly(set);
  };
  return {
    dispose,
    writes: (dispatch) => ({
      querySet: set,
      beginningOfPassWriteIndex: 2 * dispatch,
      endOfPassWriteIndex: 2 * dispatch + 1,
    }),
    resolve: (encoder) => encoder.resolveQuerySet(set, 0, 2 * dispatches, buffer, 0),
    read: async (kernels, wait) => {
      let bytes: ArrayBuffer;
      try {
        bytes = await readBuffer(device, buffer, 0, 16 * dispatches, "reading timestamps", wait);
      } finally {
        dispose();
      }
      const ticks = new BigUint64Array(bytes);
      return kernels.map((kernel, dispatch) => ({
        kernel,
        milliseconds: Number(ticks[2 * dispatch + 1]! - ticks[2 * dispatch]!) / 1e6,
      }));
    },
  };
}
