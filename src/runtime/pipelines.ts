// Pipelines by the text of their shader: a second compile of the same plan on a device costs nothing, and two
// objectives that need the same kernel share it.

import type { Binding, Kernel } from "../kernel/kernel.ts";
import type { Device } from "./device.ts";
import { createPipeline } from "./shaders.ts";
import { shaderStage } from "./usage.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const cache = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();

export function pipelineFor(device: Device, kernel: Kernel, wgsl: string): Promise<Pipeline> {
  let known = cache.get(device.gpu);
  if (known === undefined) cache.set(device.gpu, (known = new Map()));
  const found = known.get(wgsl);
  if (found !== undefined) return found;
  const made = build(device, kernel, wgsl);
  known.set(wgsl, made);
  // a failure is not kept: the next attempt reports it again
  made.catch(() => known.delete(wgsl));
  return made;
}

async function build(device: Device, kernel: Kernel, wgsl: string): Promise<Pipeline> {
  const layout = device.gpu.createBindGroupLayout({
    label: kernel.name,
    entries: kernel.bindings.map((binding, position) => ({
      binding: position,
      visibility: shaderStage.compute,
      buffer: { type: bufferType(binding) },
    })),
  });
  const pipeline = await createPipeline(device, wgsl, kernel.name, {
    layout: device.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
  });
  return { pipeline, layout };
}

function bufferType({ access }: Binding): GPUBufferBindingType {
  if (access === "uniform") return "uniform";
  return access === "read" ? "read-only-storage" : "storage";
}
