// Pipelines by the text of their shader: a second compile of the same plan on a device costs nothing, and two
// objectives that need the same kernel share it.

import { printExpression } from "../core/print.ts";
import type { Binding, Kernel } from "../kernel/kernel.ts";
import { sourceLines } from "../wgsl/print.ts";
import type { Device } from "./device.ts";
import { sleepThenAwait, type WaitOptions } from "./readback.ts";
import { problemError, scoped } from "./scopes.ts";
import { createPipeline } from "./shaders.ts";
import { shaderStage } from "./usage.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Operators of an expression that a complaint about its line spells out; the rest becomes "…". */
const operatorsShown = 8;

const cache = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();

/** @throws PrefcError shader-rejected, device-lost, gpu-timeout, gpu-error */
export function pipelineFor(
  device: Device,
  kernel: Kernel,
  wgsl: string,
  wait: WaitOptions = {},
): Promise<Pipeline> {
  let known = cache.get(device.gpu);
  if (known === undefined) cache.set(device.gpu, (known = new Map()));
  const found = known.get(wgsl);
  if (found !== undefined) return found;
  const made = build(device, kernel, wgsl, wait);
  known.set(wgsl, made);
  // a failure is not kept: the next attempt reports it again
  made.catch(() => known.delete(wgsl));
  return made;
}

async function build(
  device: Device,
  kernel: Kernel,
  wgsl: string,
  wait: WaitOptions,
): Promise<Pipeline> {
  const { value, problem } = scoped(device, () => {
    const layout = device.gpu.createBindGroupLayout({
      label: kernel.name,
      entries: kernel.bindings.map((binding, position) => ({
        binding: position,
        visibility: shaderStage.compute,
        buffer: { type: bufferType(binding) },
      })),
    });
    const whole = device.gpu.createPipelineLayout({ bindGroupLayouts: [layout] });
    return { layout, whole };
  });
  const { layout, whole } = value;
  const describe = (line: number): string | null => {
    const source = sourceLines(kernel).get(line);
    return source === undefined ? null : printExpression(source, operatorsShown);
  };
  const options = { layout: whole, describe };
  const pipeline = await createPipeline(device, wgsl, kernel.name, options, wait);
  const during = `preparing the shader "${kernel.name}"`;
  const refused = await sleepThenAwait(device, during, () => problem, wait);
  if (refused !== null) throw problemError(device, during, refused);
  return { pipeline, layout };
}

function bufferType({ access }: Binding): GPUBufferBindingType {
  if (access === "uniform") return "uniform";
  return access === "read" ? "read-only-storage" : "storage";
}
