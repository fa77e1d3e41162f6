// Runs a plan on a batch: fills the buffers, records every dispatch into one submission, and reads back the
// scalars with the status words. The logits are read where they are; nothing of vocabulary size is copied
// except logits that come as typed arrays and gradients that are asked for.

import type { Batch, LogitsTensor, Params } from "../batch/batch.ts";
import { isGpuBuffer } from "../batch/logits.ts";
import { parameterValue } from "../batch/params.ts";
import { fail } from "../core/error.ts";
import type { Role } from "../kernel/kernel.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { storageUsage, uniformUsage, type Buffers } from "./buffers.ts";
import type { Device } from "./device.ts";
import { rowGroups, stack, windows, type RowGroup, type Stacked, type Window } from "./layout.ts";
import { pipelineFor } from "./pipelines.ts";
import { readStaging, requireAlive, type WaitOptions } from "./readback.ts";
import { bufferUsage } from "./usage.ts";

/** What a run leaves behind. */
export interface Executed {
  readonly stacked: Stacked;
  /** In the order of the plan's scalars. */
  readonly scalars: Float32Array;
  /** Per model: 0xffffffff − the first token with a bad logit, then with an impossible label; 0 for none. */
  readonly status: Uint32Array;
  /** Gradients of logits tensors by the tensor's name, still on the device. */
  readonly gradients: ReadonlyMap<string, { readonly buffer: GPUBuffer; readonly rows: number }>;
  readonly examples: GPUBuffer;
  readonly rows: GPUBuffer;
}
export interface ExecuteOptions {
  readonly params: Params;
  /** Where the gradient of a tensor is to be written, by the tensor's name. */
  readonly into: Readonly<Record<string, GPUBuffer>>;
  readonly wait: WaitOptions;
}

/** One dispatch of a step: the tensors of a group, or none for a row program. */
interface Dispatch {
  readonly index: number;
  readonly step: Step;
  readonly group: RowGroup | null;
  readonly window: Window;
}

const statusWords = 4;
const windowStride = 256;

export async function execute(
  device: Device,
  held: Buffers,
  plan: Plan,
  batch: Batch,
  { params, into, wait }: ExecuteOptions,
): Promise<Executed> {
  requireAlive(device, "starting a run");
  const pipelines = await Promise.all(
    plan.steps.map(({ kernel, wgsl }) => pipelineFor(device, kernel, wgsl)),
  );
  const stacked = stack(batch, plan.responses);
  const rowBytes = batch.vocab * 4;
  const limits = {
    maxBinding: device.limits["maxStorageBufferBindingSize"] ?? Infinity,
    alignment: Math.max(256, device.limits["minStorageBufferOffsetAlignment"] ?? 256),
  };

  // ---- which dispatches there are
  const dispatches = plan.steps.flatMap((step, index): readonly Dispatch[] => {
    if (step.pass === null) return [{ index, step, group: null, window: { firstRow: 0, rows: 1 } }];
    return rowGroups(batch, stacked, plan, step.pass.models, step.pass.responses).flatMap(
      (group) => {
        const { model, tensor } = group.tensors[0]!;
        return windows(tensor.rows, rowBytes, limits, `the ${model} logits "${tensor.name}"`).map(
          (window) => ({ index, step, group, window }),
        );
      },
    );
  });

  // ---- what they need, before anything is allocated
  const tensors = new Map<unknown, { tensor: LogitsTensor; role: string }>();
  for (const { group } of dispatches) {
    for (const { model, tensor } of group?.tensors ?? []) {
      if (!tensors.has(tensor.data))
        tensors.set(tensor.data, { tensor, role: `${model} logits "${tensor.name}"` });
    }
  }
  const bytesOf = (tensor: LogitsTensor): number => tensor.rows * rowBytes;
  const written = new Map<unknown, LogitsTensor>();
  for (const { step, group } of dispatches) {
    if (step.pass?.kind === "gradient")
      written.set(group!.tensors[0]!.tensor.data, group!.tensors[0]!.tensor);
  }
  held.reserve([
    ...[...tensors.values()].flatMap(({ tensor, role }) =>
      isGpuBuffer(tensor.data) ? [] : [{ role, bytes: bytesOf(tensor) }],
    ),
    ...[...written.values()].flatMap((tensor) =>
      tensor.name in into ? [] : [{ role: gradientRole(tensor), bytes: bytesOf(tensor) }],
    ),
    { role: "row fields", bytes: plan.rowFields.length * stacked.tokens * 4 },
  ]);

  // ---- uploads
  const { queue } = device.gpu;
  const logits = new Map<unknown, GPUBuffer>();
  for (const [data, { tensor, role }] of tensors) {
    logits.set(
      data,
      isGpuBuffer(tensor.data)
        ? storageOf(tensor.data, tensor.name)
        : held.upload(role, asF32(tensor, batch.vocab), storageUsage),
    );
  }
  const gradients = new Map<string, { buffer: GPUBuffer; rows: number }>();
  for (const tensor of written.values()) {
    const given = into[tensor.name];
    if (given !== undefined && given.size < bytesOf(tensor)) {
      fail(
        "gradient-too-small",
        `The buffer for the gradient of "${tensor.name}" has ${given.size} bytes, but ${tensor.rows} rows of ${batch.vocab} f32 need ${bytesOf(tensor)}.`,
      );
    }
    const buffer =
      given === undefined
        ? held.get(gradientRole(tensor), bytesOf(tensor), storageUsage)
        : storageOf(given, `gradient of ${tensor.name}`);
    gradients.set(tensor.name, { buffer, rows: tensor.rows });
  }
  const fixed = {
    shape: held.upload(
      "shape",
      Uint32Array.of(batch.examples, stacked.tokens, batch.vocab, 0),
      uniformUsage,
    ),
    params: held.upload("parameters", parameters(plan, params), uniformUsage),
    ragged: held.upload("ragged offsets", stacked.ragged, storageUsage),
    labels: held.upload("labels", stacked.labels, storageUsage),
    rows: held.get("row fields", plan.rowFields.length * stacked.tokens * 4, storageUsage),
    examples: held.get(
      "example values",
      Math.max(1, plan.exampleSlots) * batch.examples * 4,
      storageUsage,
    ),
    scalars: held.get("scalars", Math.max(1, plan.scalarSlots) * 4, storageUsage),
    status: held.get("status", statusWords * 4, storageUsage),
  };
  for (const { input, response, slot } of plan.tokenUploads) {
    const base = stacked.bases[plan.responses.indexOf(response!)]!;
    queue.writeBuffer(fixed.rows, (slot * stacked.tokens + base) * 4, valuesOf(batch, input));
  }
  for (const { input, slot } of plan.exampleUploads)
    queue.writeBuffer(fixed.examples, slot * batch.examples * 4, valuesOf(batch, input));
  const windowWords = new Uint32Array((windowStride / 4) * dispatches.length);
  dispatches.forEach(({ window }, position) =>
    windowWords.set(
      [window.firstRow, window.rows, gridWidth(window)],
      (position * windowStride) / 4,
    ),
  );
  const windowBuffer = held.upload("windows", windowWords, uniformUsage);
  const maps = new Map<RowGroup, { tokenOf: GPUBuffer; rowOf: readonly GPUBuffer[] }>();
  let mapNumber = 0;
  for (const { group } of dispatches) {
    if (group === null || maps.has(group)) continue;
    const role = `row map ${mapNumber++}`;
    maps.set(group, {
      tokenOf: held.upload(role, group.tokenOf, storageUsage),
      rowOf: group.rowOf.map((rows, index) => held.upload(`${role}.${index}`, rows, storageUsage)),
    });
  }

  // ---- one submission
  const staging = held.get(
    "readback",
    (statusWords + plan.scalars.length) * 4,
    bufferUsage.mapRead | bufferUsage.copyTarget,
  );
  const encoder = device.gpu.createCommandEncoder();
  encoder.clearBuffer(fixed.status);
  const pass = encoder.beginComputePass();
  dispatches.forEach(({ index, step, group, window }, position) => {
    const { pipeline, layout } = pipelines[index]!;
    const resource = (role: Role): GPUBufferBinding => {
      const windowed = (buffer: GPUBuffer): GPUBufferBinding => ({
        buffer,
        offset: window.firstRow * rowBytes,
        size: window.rows * rowBytes,
      });
      switch (role.kind) {
        case "window":
          return { buffer: windowBuffer, offset: position * windowStride, size: 16 };
        case "tokenOf":
          return { buffer: maps.get(group!)!.tokenOf };
        case "rowOf":
          return {
            buffer: maps.get(group!)!.rowOf[
              group!.tensors.findIndex(({ model }) => model === role.model) - 1
            ]!,
          };
        case "logits": {
          const place = group!.tensors.findIndex(({ model }) => model === role.model);
          const buffer = logits.get(group!.tensors[place]!.tensor.data)!;
          return place === 0 ? windowed(buffer) : { buffer };
        }
        case "gradient":
          return windowed(gradients.get(group!.tensors[0]!.tensor.name)!.buffer);
        case "shape":
        case "params":
        case "ragged":
        case "labels":
        case "rows":
        case "examples":
        case "scalars":
        case "status":
          return { buffer: fixed[role.kind] };
      }
    };
    const entries = step.kernel.bindings.map(({ role }, binding) => ({
      binding,
      resource: resource(role),
    }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(gridWidth(window), Math.ceil(window.rows / gridWidth(window)));
  });
  pass.end();
  encoder.copyBufferToBuffer(fixed.status, 0, staging, 0, statusWords * 4);
  encoder.copyBufferToBuffer(fixed.scalars, 0, staging, statusWords * 4, plan.scalars.length * 4);
  queue.submit([encoder.finish()]);
  const bytes = await readStaging(
    device,
    staging,
    (statusWords + plan.scalars.length) * 4,
    "running a plan",
    wait,
  );
  const errors = device.takeErrors();
  if (errors.length > 0)
    fail("gpu-error", `The GPU refused part of the run on ${device.line}: ${errors[0]}`);
  return {
    stacked,
    status: new Uint32Array(bytes, 0, statusWords),
    scalars: new Float32Array(bytes, statusWords * 4),
    gradients,
    examples: fixed.examples,
    rows: fixed.rows,
  };
}

const gridWidth = ({ rows }: Window): number => Math.min(rows, 65_535);
const gradientRole = (tensor: LogitsTensor): string => `gradient of "${tensor.name}"`;

function storageOf(buffer: GPUBuffer, what: string): GPUBuffer {
  if ((buffer.usage & bufferUsage.storage) === 0) {
    fail(
      "buffer-usage",
      `The GPUBuffer for ${what} was created without the usage STORAGE; add it.`,
    );
  }
  return buffer;
}

function asF32(tensor: LogitsTensor, vocab: number): Float32Array {
  const data = tensor.data as Float32Array | Float64Array;
  const used = data.subarray(0, tensor.rows * vocab);
  return used instanceof Float32Array ? used : Float32Array.from(used);
}

function valuesOf(batch: Batch, input: string): Float32Array<ArrayBuffer> {
  const binding = batch.inputs[input];
  if (binding === undefined || binding.height === "logits")
    return fail("missing-input", `The batch has no "${input}"; supply it.`);
  return Float32Array.from(binding.values);
}

function parameters(plan: Plan, params: Params): Float32Array {
  const values = new Float32Array(4 * Math.max(1, Math.ceil(plan.params.length / 4)));
  plan.params.forEach((param, slot) => (values[slot] = parameterValue(param, params)));
  return values;
}
