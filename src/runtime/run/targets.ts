// Where gradients of logits go: into a buffer of ours, a buffer of the user's, or over the logits themselves. A gradient
// in the place of its logits is right because every pass that reads whole rows has ended before the first gradient is
// written, and the gradient of an entry needs no other entry; it would be wrong where anything else lies in that buffer.

import type { Batch, LogitsTensor } from "../../batch/batch.ts";
import { bufferBytes, dtypeOf, vocabOf } from "../../batch/logits.ts";
import { fail } from "../../core/error.ts";
import { tensorsWritten, type Dispatch } from "./dispatches.ts";
import type { Run } from "./run.ts";
import { bufferUsage } from "../device/usage.ts";
import { cite, quote } from "../../core/quote.ts";

/** Buffers that gradients are written into, by the name of the tensor. */
export type Targets = Readonly<Record<string, GPUBuffer>>;

/** Whether the gradient of a tensor is to be written over its logits. */
export const isInPlace = ({ name, data }: LogitsTensor, into: Targets): boolean =>
  Object.hasOwn(into, name) && into[name] === data;

export const gradientRole = (tensor: LogitsTensor): string => `gradient of ${quote(tensor.name)}`;

/** @throws PrefcError buffer-usage, buffer-unusable */
export function storageOf(buffer: GPUBuffer, what: string): GPUBuffer {
  if ((buffer.usage & bufferUsage.storage) === 0) {
    fail(
      "buffer-usage",
      `The GPUBuffer for the ${what} was created without the usage STORAGE; add it.`,
    );
  }
  // browsers that are older than the field leave it out
  const { mapState = "unmapped" } = buffer as { readonly mapState?: GPUBufferMapState };
  if (mapState !== "unmapped") {
    fail(
      "buffer-unusable",
      `The GPUBuffer for the ${what} is ${mapState === "mapped" ? "mapped" : "being mapped"}; unmap it before the run.`,
    );
  }
  return buffer;
}

/** The tensor whose logits a gradient has overwritten, by batch. */
const overwritten = new WeakMap<Batch, string>();

/** @throws PrefcError batch-spent */
export function refuseSpent(batch: Batch): void {
  const name = overwritten.get(batch);
  if (name === undefined) return;
  fail(
    "batch-spent",
    `The logits ${cite(name)} of this batch were overwritten by their gradient in an earlier run; write the next logits into the buffer and make a batch of them.`,
  );
}

/** Keeps in mind that a run overwrites logits of its batch; the function that it returns takes that back. */
export function spend({ batch, into, dispatches }: Run): () => void {
  const tensor = tensorsWritten(dispatches).find((one) => isInPlace(one, into));
  if (tensor !== undefined) overwritten.set(batch, tensor.name);
  return () => {
    if (tensor !== undefined) overwritten.delete(batch);
  };
}

/**
 * Checks the buffers that gradients go into: large enough, each for one gradient, and holding no logits but those that
 * the gradient belongs to.
 * @throws PrefcError buffer-usage, gradient-too-small, gradient-aliases-logits, gradients-share-buffer
 */
export function checkTargets(dispatches: readonly Dispatch[], batch: Batch, into: Targets): void {
  const read = dispatches.flatMap(({ group }) => group?.tensors ?? []);
  const owners = new Map<GPUBuffer, string>();
  for (const tensor of tensorsWritten(dispatches)) {
    const given = Object.hasOwn(into, tensor.name) ? into[tensor.name] : undefined;
    if (given === undefined) continue;
    storageOf(given, gradientRole(tensor));
    const bytes = bufferBytes(tensor.rows * vocabOf(tensor, batch), dtypeOf(tensor));
    if (given.size < bytes) {
      fail(
        "gradient-too-small",
        `The buffer for the gradient of ${cite(tensor.name)} has ${given.size} bytes, but its ${tensor.rows} rows need ${bytes}; give one of that size.`,
      );
    }
    const owner = owners.get(given);
    if (owner !== undefined) {
      fail(
        "gradients-share-buffer",
        `The gradients of ${cite(owner)} and ${cite(tensor.name)} cannot be written into one buffer; give each a buffer of its own.`,
      );
    }
    owners.set(given, tensor.name);
    const other = read.find(
      ({ model, tensor: { name, data } }) =>
        data === given && !(model === "policy" && name === tensor.name),
    );
    if (other !== undefined) {
      fail(
        "gradient-aliases-logits",
        `The gradient of ${cite(tensor.name)} cannot be written over the ${other.model} logits ${cite(other.tensor.name)}, which are in the same buffer; write it over its own logits or give it a buffer of its own.`,
      );
    }
  }
}
