// Pipelines by the text of their shader: a second compile of the same plan on a device costs nothing, and two
// objectives that need the same kernel share it. They are kept for as long as a plan needs them, and those of the last few
// plans beyond that, so that a process that compiles ever new objectives does not grow.

import { printExpression } from "../../core/print.ts";
import type { Binding, Kernel } from "../../kernel/kernel.ts";
import { sourceLines } from "../../wgsl/print.ts";
import type { Device } from "../device/device.ts";
import { sleepThenAwait, type WaitOptions } from "../device/wait.ts";
import { problemError, scoped } from "../device/scopes.ts";
import { createPipeline } from "./shaders.ts";
import { shaderStage } from "../device/usage.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Operators of an expression that a complaint about its line spells out; the rest becomes "…". */
const operatorsShown = 8;

/** A pipeline, built or being built. */
interface Entry {
  readonly wgsl: string;
  readonly made: Promise<Pipeline>;
}
interface Shelf {
  readonly byText: Map<string, WeakRef<Entry>>;
  /** What keeps an entry: a kernel that is run with it, for as long as its plan lives. */
  readonly byKernel: WeakMap<Kernel, Entry>;
  /** And the last use of a few, so that an objective may be compiled again after its disposal. Oldest first. */
  readonly recent: Set<Entry>;
}
/** Of one device. About eight objectives; a pipeline takes a few megabytes of a software adapter. */
const mostRecent = 32;

const shelves = new WeakMap<GPUDevice, Shelf>();
const shelfOf = (device: GPUDevice): Shelf => {
  const known = shelves.get(device) ?? {
    byText: new Map(),
    byKernel: new WeakMap(),
    recent: new Set(),
  };
  shelves.set(device, known);
  return known;
};

/** Takes the texts of pipelines that are gone off their shelf. */
const collected = new FinalizationRegistry<{
  readonly shelf: WeakRef<Shelf>;
  readonly wgsl: string;
}>(({ shelf, wgsl }) => {
  const texts = shelf.deref()?.byText;
  if (texts?.get(wgsl)?.deref() === undefined) texts?.delete(wgsl);
});

/** @throws PrefcError shader-rejected, device-lost, gpu-timeout, gpu-error */
export function pipelineFor(
  device: Device,
  kernel: Kernel,
  wgsl: string,
  wait: WaitOptions = {},
): Promise<Pipeline> {
  const shelf = shelfOf(device.gpu);
  const { byText, byKernel, recent } = shelf;
  let entry = byText.get(wgsl)?.deref();
  if (entry === undefined) {
    const made = build(device, kernel, wgsl, wait);
    const added: Entry = { wgsl, made };
    byText.set(wgsl, new WeakRef(added));
    collected.register(added, { shelf: new WeakRef(shelf), wgsl });
    // a failure is not kept: the next attempt reports it again
    made.catch(() => {
      recent.delete(added);
      if (byText.get(wgsl)?.deref() === added) byText.delete(wgsl);
    });
    entry = added;
  }
  byKernel.set(kernel, entry);
  recent.delete(entry);
  recent.add(entry);
  if (recent.size > mostRecent) recent.delete(recent.values().next().value!);
  return entry.made;
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
  const refused = await sleepThenAwait(device, during, () => problem, {
    ...wait,
    compiling: during,
  });
  if (refused !== null) throw problemError(device, during, refused);
  return { pipeline, layout };
}

function bufferType({ access }: Binding): GPUBufferBindingType {
  if (access === "uniform") return "uniform";
  return access === "read" ? "read-only-storage" : "storage";
}
