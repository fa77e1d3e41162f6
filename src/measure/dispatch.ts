// Runs lists of dispatches that are no plan of the compiler: hand-written kernels and ceilings. One pass for each dispatch
// with timestamps, or all in one pass when a whole call is timed from outside.

import { readFileSync } from "node:fs";
import type { Device } from "../runtime/device/device.ts";
import { finished } from "../runtime/device/wait.ts";
import { createPipeline } from "../runtime/shaders/shaders.ts";
import { timer } from "../runtime/run/timing.ts";
import { bufferUsage } from "../runtime/device/usage.ts";

export interface Dispatch {
  /** What its time is counted to. */
  readonly part: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: number;
}

/** A kernel of kernels/expert, with the words in capitals replaced by numbers. */
export async function handwritten(
  device: Device,
  file: string,
  constants: Readonly<Record<string, number>>,
): Promise<GPUComputePipeline> {
  const text = readFileSync(new URL(`../../kernels/expert/${file}.wgsl`, import.meta.url), "utf8");
  const wgsl = Object.entries(constants).reduce(
    (replaced, [name, value]) => replaced.replaceAll(name, `${value}u`),
    text,
  );
  return await createPipeline(device, wgsl, file);
}

/** Bindings in order; a range leaves out the rest of its buffer. */
export function bind(
  { gpu }: Device,
  pipeline: GPUComputePipeline,
  resources: readonly (GPUBuffer | GPUBufferBinding)[],
): GPUBindGroup {
  const entries = resources.map((resource, binding) => ({
    binding,
    resource: "buffer" in resource ? resource : { buffer: resource },
  }));
  return gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
}

function record(pass: GPUComputePassEncoder, { pipeline, bindings, groups }: Dispatch): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(groups);
}

/** GPU milliseconds by part. */
export async function timed(
  device: Device,
  dispatches: readonly Dispatch[],
): Promise<Readonly<Record<string, number>>> {
  const clock = timer(device, dispatches.length);
  const encoder = device.gpu.createCommandEncoder();
  dispatches.forEach((dispatch, position) => {
    const pass = encoder.beginComputePass({ timestampWrites: clock.writes(position) });
    record(pass, dispatch);
    pass.end();
  });
  clock.resolve(encoder);
  device.gpu.queue.submit([encoder.finish()]);
  const key = dispatches.map(({ part }) => part).join();
  await finished(device, "running hand-written kernels", {
    key: `timed ${key}`,
    throughout: true,
  });
  const read = await clock.read(
    dispatches.map(({ part }) => part),
    {},
  );
  const sums: Record<string, number> = {};
  for (const { kernel, milliseconds } of read) sums[kernel] = (sums[kernel] ?? 0) + milliseconds;
  return sums;
}

/** Submits in one pass, with whatever `after` records behind it, and waits for `done`. */
export async function run<T>(
  device: Device,
  dispatches: readonly Dispatch[],
  after: (encoder: GPUCommandEncoder) => void,
  done: () => Promise<T>,
): Promise<T> {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const dispatch of dispatches) record(pass, dispatch);
  pass.end();
  after(encoder);
  device.gpu.queue.submit([encoder.finish()]);
  return await done();
}

/** Buffers that are destroyed together. */
export function maker({ gpu }: Device): {
  readonly buffer: (
    size: number,
    data?: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  ) => GPUBuffer;
  readonly destroy: () => void;
} {
  const made: GPUBuffer[] = [];
  const usage =
    bufferUsage.storage | bufferUsage.uniform | bufferUsage.copyTarget | bufferUsage.copySource;
  return {
    buffer: (size, data) => {
      const buffer = gpu.createBuffer({ size: Math.max(256, Math.ceil(size / 16) * 16), usage });
      if (data !== undefined) gpu.queue.writeBuffer(buffer, 0, data);
      made.push(buffer);
      return buffer;
    },
    destroy: () => {
      for (const buffer of made) buffer.destroy();
    },
  };
}
