// Runs a plan on a batch: records every dispatch into one submission, waits, and reads back the scalars with
// the status words. Nothing of vocabulary size is read back here.

import type { Batch, LogitsTensor, Params } from "../batch/batch.ts";
import { fail } from "../core/error.ts";
import type { Plan } from "../plan/plan.ts";
import type { Buffers } from "./buffers.ts";
import type { Device } from "./device.ts";
import { gridWidth, listDispatches } from "./dispatches.ts";
import { stack, type Stacked } from "./layout.ts";
import { pipelineFor } from "./pipelines.ts";
import { readPooled } from "./pooled.ts";
import { readStaging, requireAlive, type WaitOptions } from "./readback.ts";
import { resources, statusWords, type Gradient } from "./resources.ts";
import { isInPlace, type Targets } from "./targets.ts";
import { timer, type DispatchTime } from "./timing.ts";
import { bufferUsage } from "./usage.ts";
import { wholeVectorsWithin } from "./vectors.ts";

/** What a run leaves behind. */
export interface Executed {
  readonly stacked: Stacked;
  /** In the order of the plan's scalars. */
  readonly scalars: Float64Array;
  /** Per model: 0xffffffff − the first token with a bad logit, then with an impossible label; 0 for none. */
  readonly status: Uint32Array;
  /** Gradients of logits by the tensor's name, still on the device. */
  readonly gradients: ReadonlyMap<string, Gradient>;
  readonly examples: GPUBuffer;
  readonly rows: GPUBuffer;
  /** Bytes of one of these buffers, read back through a staging buffer that is kept. */
  readonly read: (
    buffer: GPUBuffer,
    byteOffset: number,
    byteLength: number,
    during: string,
  ) => Promise<ArrayBuffer>;
  /** GPU time of each dispatch in order, when the run was profiled. */
  readonly times: readonly DispatchTime[] | null;
}
export interface ExecuteOptions {
  readonly params: Params;
  /** Where the gradient of a tensor is to be written, by the tensor's name. */
  readonly into: Targets;
  readonly wait: WaitOptions;
  /** Whether the GPU times each dispatch. */
  readonly profile?: boolean;
}

const stagingUsage = bufferUsage.mapRead | bufferUsage.copyTarget;

export async function execute(
  device: Device,
  held: Buffers,
  plan: Plan,
  batch: Batch,
  { params, into, wait, profile = false }: ExecuteOptions,
): Promise<Executed> {
  requireAlive(device, "starting a run");
  const stacked = stack(batch, plan.responses);
  const limits = {
    maxBinding: wholeVectorsWithin(device.limits["maxStorageBufferBindingSize"] ?? Infinity),
    alignment: Math.max(256, device.limits["minStorageBufferOffsetAlignment"] ?? 256),
  };
  const inPlace = (tensor: LogitsTensor): boolean => isInPlace(tensor, into);
  const dispatches = listDispatches(plan, batch, stacked, limits, inPlace);
  const pipelines = await Promise.all(
    dispatches.map(({ kernel, wgsl }) => pipelineFor(device, kernel, wgsl)),
  );
  const made = resources(device, held, plan, batch, stacked, dispatches, params, into);
  const resultBytes = statusWords * 4 + plan.scalars.length * 8;
  const staging = held.get("readback", resultBytes, stagingUsage);

  const encoder = device.gpu.createCommandEncoder();
  encoder.clearBuffer(made.status);
  const clock = profile ? timer(device, dispatches.length) : null;
  const pass = clock === null ? encoder.beginComputePass() : null;
  dispatches.forEach((dispatch, position) => {
    const current = pass ?? encoder.beginComputePass({ timestampWrites: clock!.writes(position) });
    const { pipeline, layout } = pipelines[position]!;
    const entries = dispatch.kernel.bindings.map(({ role }, binding) => ({
      binding,
      resource: made.binding(role, dispatch, position),
    }));
    const width = gridWidth(dispatch.window);
    current.setPipeline(pipeline);
    current.setBindGroup(0, device.gpu.createBindGroup({ layout, entries }));
    current.dispatchWorkgroups(width, Math.ceil(dispatch.window.rows / width));
    if (clock !== null) current.end();
  });
  pass?.end();
  clock?.resolve(encoder);
  encoder.copyBufferToBuffer(made.status, 0, staging, 0, statusWords * 4);
  encoder.copyBufferToBuffer(made.scalars, 0, staging, statusWords * 4, plan.scalars.length * 8);
  device.gpu.queue.submit([encoder.finish()]);

  const waiting = { ...wait, throughout: profile };
  const bytes = await readStaging(device, staging, resultBytes, "running a plan", waiting);
  const [error] = device.takeErrors();
  if (error !== undefined) {
    fail("gpu-error", `The GPU refused part of the run on ${device.line}: ${error}`);
  }
  const parts = new Float32Array(bytes, statusWords * 4);
  const names = dispatches.map(({ kernel }) => kernel.name);
  return {
    stacked,
    status: new Uint32Array(bytes, 0, statusWords),
    scalars: Float64Array.from(plan.scalars, (_, i) => parts[2 * i]! + parts[2 * i + 1]!),
    gradients: made.gradients,
    examples: made.examples,
    rows: made.rows,
    read: (...range) => readPooled(device, held, ...range),
    times: (await clock?.read(names, wait)) ?? null,
  };
}
