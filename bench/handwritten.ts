// Runs the kernels of kernels/expert: the bar for compiled kernels, and the ceilings of the adapter.

import { readFileSync } from "node:fs";
import type { Device } from "../src/index.ts";
import { finished } from "../src/runtime/readback.ts";
import { createPipeline } from "../src/runtime/shaders.ts";
import { timer } from "../src/runtime/timing.ts";
import { bufferUsage } from "../src/runtime/usage.ts";
import type { Data } from "./data.ts";
import { tokensPerResponse } from "./options.ts";

/** Milliseconds of GPU time for each dispatch, once for every call. */
export type Run = () => Promise<readonly number[]>;

export interface Expert {
  /** forward on policy, forward on reference, loss, backward */
  readonly run: Run;
  readonly loss: () => Promise<number>;
  readonly destroy: () => void;
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly buffers: readonly GPUBuffer[];
  readonly groups: number;
}

async function pipeline(
  device: Device,
  file: string,
  lanes: number,
  weighted: boolean,
): Promise<GPUComputePipeline> {
  const text = readFileSync(new URL(`../kernels/expert/${file}.wgsl`, import.meta.url), "utf8");
  const wgsl = text
    .replaceAll("LANES", `${lanes}u`)
    .replaceAll("WEIGHTED", weighted ? "1u" : "0u")
    .replaceAll("TOKENS", `${tokensPerResponse}u`);
  return await createPipeline(device, wgsl, file);
}

async function submit(device: Device, dispatches: readonly Dispatch[]): Promise<readonly number[]> {
  const clock = timer(device, dispatches.length);
  const encoder = device.gpu.createCommandEncoder();
  dispatches.forEach(({ pipeline: chosen, buffers, groups }, position) => {
    const pass = encoder.beginComputePass({ timestampWrites: clock.writes(position) });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setPipeline(chosen);
    pass.setBindGroup(
      0,
      device.gpu.createBindGroup({ layout: chosen.getBindGroupLayout(0), entries }),
    );
    pass.dispatchWorkgroups(groups);
    pass.end();
  });
  clock.resolve(encoder);
  device.gpu.queue.submit([encoder.finish()]);
  await finished(device, "running expert kernels", { key: `expert ${dispatches.length}` });
  const measured = await clock.read(
    dispatches.map(() => ""),
    {},
  );
  return measured.map(({ milliseconds }) => milliseconds);
}

function maker({ gpu }: Device): {
  buffer: (bytes: number, data?: Uint32Array<ArrayBuffer>) => GPUBuffer;
  destroy: () => void;
} {
  const made: GPUBuffer[] = [];
  return {
    buffer: (size, data) => {
      const usage =
        bufferUsage.storage | bufferUsage.uniform | bufferUsage.copyTarget | bufferUsage.copySource;
      const buffer = gpu.createBuffer({ size, usage });
      if (data !== undefined) gpu.queue.writeBuffer(buffer, 0, data);
      made.push(buffer);
      return buffer;
    },
    destroy: () => {
      for (const buffer of made) buffer.destroy();
    },
  };
}

const shapeOf = ({ rows, vocab }: Data): Uint32Array<ArrayBuffer> =>
  Uint32Array.of(rows, vocab / 4, 0, 0);

export async function expert(
  device: Device,
  data: Data,
  lanes: number,
  weighted: boolean,
  gradient: GPUBuffer,
): Promise<Expert> {
  const { buffer, destroy } = maker(device);
  const shape = buffer(16, shapeOf(data));
  const labels = buffer(data.labels.byteLength, Uint32Array.from(data.labels));
  const [policyStats, referenceStats] = [buffer(data.rows * 16), buffer(data.rows * 16)];
  const coefficients = buffer(data.rows * 4);
  const losses = buffer(Math.max(16, data.pairs * 4));
  const forward = await pipeline(device, "forward", lanes, weighted);
  const plain = await pipeline(device, "forward", lanes, false);
  const loss = await pipeline(device, "loss", lanes, weighted);
  const backward = await pipeline(device, "backward", lanes, weighted);
  const { rows } = data;
  const dispatches: readonly Dispatch[] = [
    { pipeline: forward, buffers: [shape, data.policy, labels, policyStats], groups: rows },
    { pipeline: plain, buffers: [shape, data.reference, labels, referenceStats], groups: rows },
    {
      pipeline: loss,
      buffers: [shape, policyStats, referenceStats, coefficients, losses],
      groups: Math.ceil(data.pairs / 64),
    },
    {
      pipeline: backward,
      buffers: [shape, data.policy, labels, policyStats, coefficients, gradient],
      groups: rows,
    },
  ];
  return {
    run: () => submit(device, dispatches),
    loss: async () => {
      const { readBuffer } = await import("../src/runtime/readback.ts");
      const values = new Float32Array(
        await readBuffer(device, losses, 0, data.pairs * 4, "reading expert losses"),
      );
      return values.reduce((sum, value) => sum + value, 0);
    },
    destroy,
  };
}

/** Copying the policy logits, and reading them. */
export async function ceilings(
  device: Device,
  data: Data,
  lanes: number,
  target: GPUBuffer,
): Promise<{ readonly copy: Run; readonly read: Run; readonly destroy: () => void }> {
  const { buffer, destroy } = maker(device);
  const shape = buffer(16, shapeOf(data));
  const sums = buffer(data.rows * 16);
  const copy = await pipeline(device, "copy", lanes, false);
  const read = await pipeline(device, "read", lanes, false);
  return {
    copy: () =>
      submit(device, [
        { pipeline: copy, buffers: [shape, data.policy, target], groups: data.rows },
      ]),
    read: () =>
      submit(device, [{ pipeline: read, buffers: [shape, data.policy, sums], groups: data.rows }]),
    destroy,
  };
}
