// Devices for provoking what drivers and adapters do wrong, without one: Dawn's null backend validates and executes nothing,
// so its sentences are the same on every machine.
import { compile, dpo, fromTrl, type Batch, type Compiled } from "../../../src/index.ts";
import { adoptDevice } from "../../../src/runtime/device/open.ts";
import type { Device } from "../../../src/runtime/device/device.ts";
import { requestedLimits } from "../../../src/runtime/device/limits.ts";
import { adapterOf } from "../../../src/runtime/node/instance.ts";

export const newNullDevice = async (): Promise<GPUDevice> => {
  const adapter = await adapterOf("null");
  return await adapter!.requestDevice({ requiredLimits: requestedLimits(adapter!.limits) });
};

/** A device that executes nothing. */
export const openNull = async (): Promise<Device> => await adoptDevice(await newNullDevice());

/** Two pairs with logits of a vocabulary of 4. */
export const batch: Batch = fromTrl({
  input_ids: [
    [0, 1, 1],
    [0, 1, 2],
    [0, 3, 1],
    [0, 2, 0],
  ],
  completion_mask: [
    [0, 1, 1],
    [0, 1, 1],
    [0, 1, 1],
    [0, 1, 0],
  ],
  policy_logits: new Float32Array(48),
  ref_logits: new Float32Array(48),
});

/** DPO on a device that executes nothing, of which some properties are changed. */
export const dpoOn = async (changed: Partial<Device> = {}): Promise<Compiled> =>
  compile(dpo(), { device: { ...(await openNull()), ...changed } });
