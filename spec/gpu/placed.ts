// Batches whose logits lie on a device, and what buffers hold.
import { bufferBytes, dtypeOf } from "../../src/batch/logits.ts";
import type { Batch, Device, LogitsTensor } from "../../src/index.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";

export const everyUse: number =
  bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/**
 * A buffer on the device with these entries, up to the end of their last vector; or, `tight`, of their last word. From a
 * tight one logits are read one at a time, and so added up in another order.
 */
export function bufferOf(
  on: Device,
  data: Float32Array | Uint16Array,
  tight: boolean = false,
): GPUBuffer {
  const unit = tight ? 4 : 16;
  const whole = new Uint8Array(Math.ceil(data.byteLength / unit) * unit);
  whole.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const buffer = on.gpu.createBuffer({ size: whole.byteLength, usage: everyUse });
  on.gpu.queue.writeBuffer(buffer, 0, whole);
  return buffer;
}

/** The batch with some of its tensors moved to the device. */
export function onDevice(
  batch: Batch,
  on: Device,
  moved: (name: string) => boolean = () => true,
  tight: boolean = false,
): Batch {
  const made = new Map<LogitsTensor, LogitsTensor>();
  const move = (tensor: LogitsTensor): LogitsTensor => {
    const known = made.get(tensor) ?? {
      ...tensor,
      data: bufferOf(on, tensor.data as Float32Array | Uint16Array, tight),
    };
    made.set(tensor, known);
    return known;
  };
  const inputs = Object.entries(batch.inputs).map(([name, binding]) => [
    name,
    binding.height === "logits" && moved(binding.tensor.name)
      ? { ...binding, tensor: move(binding.tensor) }
      : binding,
  ]);
  return { ...batch, inputs: Object.fromEntries(inputs) as Batch["inputs"] };
}

/** The policy's logits tensors of a batch, each once. */
export const policyTensors = (batch: Batch): readonly LogitsTensor[] => [
  ...new Set(
    Object.entries(batch.inputs).flatMap(([name, binding]) =>
      binding.height === "logits" && name.startsWith("policy.") ? [binding.tensor] : [],
    ),
  ),
];

/** What a buffer holds of a tensor, as the tensor's type. */
export async function heldIn(
  on: Device,
  buffer: GPUBuffer,
  tensor: LogitsTensor,
  vocab: number,
): Promise<Float32Array | Uint16Array> {
  const entries = tensor.rows * vocab;
  const dtype = dtypeOf(tensor);
  const bytes = await readBuffer(on, buffer, 0, bufferBytes(entries, dtype), "reading a test");
  return dtype === "f32" ? new Float32Array(bytes, 0, entries) : new Uint16Array(bytes, 0, entries);
}

/** Frees the tensors of a batch that are on a device. */
export function freed(batch: Batch): void {
  for (const binding of Object.values(batch.inputs))
    if (binding.height === "logits") (binding.tensor.data as GPUBuffer).destroy?.();
}
