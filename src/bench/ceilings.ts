// The ceilings of the adapter as providers: copying the logits, which a gradient pass must do, and reading them, which a
// forward pass must do.

import { bytesPerEntry } from "../core/storage.ts";
import type { Device } from "../index.ts";
import { ceiling } from "../measure/ceilings.ts";
import type { DeviceLogits } from "./logits.ts";
import { elapsed, plain, unchecked, type Provider, type Sample } from "./provider.ts";

/** Copying and reading, in this order. */
export async function ceilings(device: Device, held: DeviceLogits): Promise<readonly Provider[]> {
  return [await providerOf(device, "copy", held), await providerOf(device, "read", held)];
}

async function providerOf(
  device: Device,
  kind: "copy" | "read",
  { policy, gradient, dtype }: DeviceLogits,
): Promise<Provider> {
  const { bytes, gpu, call, destroy } = await ceiling(device, kind, policy, gradient);
  const direction = kind === "copy" ? "backward" : "forward";
  const sampled = (ms: number): Sample => ({ [direction]: ms });
  const moved = { read: bytes, written: kind === "copy" ? bytes : 0, small: 0 };
  return {
    ...plain,
    name: `ceiling-${kind}`,
    objective: null,
    dtype,
    moves: { [direction]: [moved] },
    entries: { [direction]: bytes / bytesPerEntry(dtype) },
    sample: {
      gpu: async () => sampled(await gpu()),
      wall: async () => sampled(await elapsed(call)),
    },
    check: unchecked,
    destroy,
  };
}
