// The buffers of a run: logits where they are or uploaded, gradients where they are wanted, and the small data
// of the batch. What is needed is counted against the byte budget before anything is allocated.

import type { Batch, LogitsTensor, Params } from "../../batch/batch.ts";
import { bufferBytes, dtypeOf, isGpuBuffer, vocabOf } from "../../batch/logits.ts";
import { parameterValue } from "../../batch/params.ts";
import { fail } from "../../core/error.ts";
import type { Role } from "../../kernel/kernel.ts";
import type { Plan } from "../../plan/plan.ts";
import { storageUsage, uniformUsage } from "./buffers.ts";
import { gridOf, tensorsRead, tensorsWritten, type Dispatch } from "./dispatches.ts";
import type { Run } from "./run.ts";
import type { Window } from "./stack.ts";
import { partBytes, partRole } from "./large.ts";
import { checkTargets, gradientRole, storageOf } from "./targets.ts";
import { wholeVectors } from "./vectors.ts";
import { statusWords } from "../../kernel/status.ts";
import { cite, quote } from "../../core/quote.ts";

export interface Gradient {
  readonly buffer: GPUBuffer;
  readonly tensor: LogitsTensor;
}
export interface Resources {
  /** What a binding of a dispatch is. */
  binding(role: Role, dispatch: Dispatch, position: number): GPUBufferBinding;
  /** Gradients of logits by the name of their tensor. */
  readonly gradients: ReadonlyMap<string, Gradient>;
  readonly rows: GPUBuffer;
  readonly examples: GPUBuffer;
  readonly scalars: GPUBuffer;
  readonly status: GPUBuffer;
}

const windowStride = 256;

export function resources(run: Run): Resources {
  const { device, held, plan, batch, stacked, dispatches, params, into, keep } = run;
  const bytesOf = (tensor: LogitsTensor, rows: number = tensor.rows): number =>
    bufferBytes(rows * vocabOf(tensor, batch), dtypeOf(tensor));
  checkTargets(dispatches, batch, into);
  const read = tensorsRead(dispatches).map(({ model, tensor }) => ({
    tensor,
    role: `${model} logits ${quote(tensor.name)}`,
  }));
  const written = tensorsWritten(dispatches);
  const fieldBytes = plan.rowFields.length * stacked.tokens * 4;
  const termBytes = Math.max(1, plan.terms) * stacked.tokens * 8;
  const partsBytes = Math.max(4, plan.partWords * stacked.tokens * 4);
  const isLarge = (tensor: LogitsTensor): boolean => bytesOf(tensor) > partBytes;
  const own = written.filter(({ name }) => !Object.hasOwn(into, name));
  held.reserve([
    ...read
      .filter(({ tensor }) => !isGpuBuffer(tensor.data))
      .map(({ tensor, role }) => ({ role, bytes: bytesOf(tensor) })),
    ...own.map((tensor) => ({ role: gradientRole(tensor), bytes: bytesOf(tensor) })),
    ...(keep || !own.some(isLarge) ? [] : [{ role: partRole, bytes: partBytes }]),
    { role: "row fields", bytes: fieldBytes },
    { role: "row terms", bytes: termBytes },
    ...(plan.partWords === 0 ? [] : [{ role: "parts of rows", bytes: partsBytes }]),
  ]);

  const logits = new Map<unknown, GPUBuffer>();
  for (const { tensor, role } of read) {
    const given = isGpuBuffer(tensor.data) ? storageOf(tensor.data, role) : null;
    logits.set(
      tensor.data,
      given ?? held.upload(role, storedWords(tensor, vocabOf(tensor, batch)), storageUsage),
    );
  }
  const gradients = new Map<string, Gradient>();
  for (const tensor of written) {
    const given = Object.hasOwn(into, tensor.name) ? into[tensor.name] : undefined;
    // what is read by later submissions must outlast those of other runs
    const take = keep ? "keep" : isLarge(tensor) ? "hold" : "get";
    const buffer = given ?? held[take](gradientRole(tensor), bytesOf(tensor), storageUsage);
    gradients.set(tensor.name, { buffer, tensor });
  }

  const { queue } = device.gpu;
  // a pass sees the vocabulary of the models that it reads
  const shapes = new Map<number, GPUBuffer>();
  const vocabularyOf = (group: Dispatch["group"]): number =>
    group === null ? batch.vocab : vocabOf(group.tensors[0]!.tensor, batch);
  for (const vocab of [batch.vocab, ...dispatches.map(({ group }) => vocabularyOf(group))]) {
    if (shapes.has(vocab)) continue;
    const shape = Uint32Array.of(batch.examples, stacked.tokens, vocab, 0);
    const role = shapes.size === 0 ? "shape" : `shape ${shapes.size}`;
    shapes.set(vocab, held.upload(role, shape, uniformUsage));
  }
  const exampleBytes = Math.max(1, plan.exampleSlots) * batch.examples * 8;
  const fixed = {
    params: held.upload("parameters", parameters(plan, params), uniformUsage),
    ragged: held.upload("ragged offsets", stacked.ragged, storageUsage),
    labels: held.upload("labels", stacked.labels, storageUsage),
    rows: held.get("row fields", fieldBytes, storageUsage),
    terms: held.get("row terms", termBytes, storageUsage),
    examples: held.get("example values", exampleBytes, storageUsage),
    scalars: held.get("scalars", Math.max(1, plan.scalarSlots) * 8, storageUsage),
    status: held.get("status", statusWords(plan.models.length) * 4, storageUsage),
  };
  for (const { input, response, slot } of plan.tokenUploads) {
    const base = stacked.bases[plan.responses.indexOf(response!)]!;
    const start = (slot * stacked.tokens + base) * 4;
    queue.writeBuffer(fixed.rows, start, Float32Array.from(valuesOf(batch, input)));
  }
  for (const { input, slot } of plan.exampleUploads) {
    queue.writeBuffer(fixed.examples, slot * batch.examples * 8, pairsOf(valuesOf(batch, input)));
  }

  const words = new Uint32Array((windowStride / 4) * dispatches.length);
  dispatches.forEach((dispatch, position) => {
    const { window, step } = dispatch;
    const { work } = step;
    const [width] = gridOf(dispatch);
    const told = work === null ? [window.firstRow, window.rows] : [work.from, work.to, work.count];
    words.set([...told, width], (position * windowStride) / 4);
  });
  const windowBuffer = held.upload("windows", words, uniformUsage);
  const maps = new Map<Uint32Array, GPUBuffer>();
  for (const { group, partners } of dispatches) {
    for (const map of group === null
      ? []
      : [group.tokenOf, ...partners.map(({ rowOf }) => rowOf)]) {
      if (!maps.has(map)) maps.set(map, held.upload(`row map ${maps.size}`, map, storageUsage));
    }
  }

  const binding = (role: Role, dispatch: Dispatch, position: number): GPUBufferBinding => {
    const { group, window, partners } = dispatch;
    const tensorAt = (model: string): number =>
      group!.tensors.findIndex((entry) => entry.model === model);
    const windowed = (
      buffer: GPUBuffer,
      tensor: LogitsTensor,
      { firstRow, rows }: Window,
    ): GPUBufferBinding => {
      const offset = bytesOf(tensor, firstRow);
      const size = Math.min(wholeVectors(tensor, rows, batch), buffer.size - offset);
      return { buffer, offset, size };
    };
    switch (role.kind) {
      case "window":
      case "work":
        return { buffer: windowBuffer, offset: position * windowStride, size: 16 };
      case "tokenOf":
        return { buffer: maps.get(group!.tokenOf)! };
      case "rowOf":
        return { buffer: maps.get(partners[tensorAt(role.model) - 1]!.rowOf)! };
      case "logits": {
        const place = tensorAt(role.model);
        const { tensor } = group!.tensors[place]!;
        const part = place === 0 ? window : partners[place - 1]!.window;
        return windowed(logits.get(tensor.data)!, tensor, part);
      }
      case "gradient": {
        const { tensor } = group!.tensors[0]!;
        return windowed(gradients.get(tensor.name)!.buffer, tensor, window);
      }
      case "parts":
        return { buffer: held.get("parts of rows", partsBytes, storageUsage) };
      case "shape":
        return { buffer: shapes.get(vocabularyOf(group))! };
      case "params":
      case "ragged":
      case "labels":
      case "rows":
      case "terms":
      case "examples":
      case "scalars":
      case "status":
        return { buffer: fixed[role.kind] };
    }
  };
  return { binding, gradients, ...fixed };
}

/** Host logits as they are stored; numbers of the reference are rounded to f32. */
function storedWords(tensor: LogitsTensor, vocab: number): Float32Array | Uint16Array {
  const data = tensor.data as Exclude<LogitsTensor["data"], GPUBuffer>;
  const used = data.subarray(0, tensor.rows * vocab);
  return used instanceof Float64Array ? Float32Array.from(used) : used;
}

function valuesOf(batch: Batch, input: string): Float32Array | Float64Array {
  const binding = batch.inputs[input];
  if (binding === undefined || binding.height === "logits") {
    return fail("missing-input", `The batch has no ${cite(input)}; supply it.`);
  }
  const wrong = binding.values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (wrong >= 0) {
    const given = binding.values[wrong]!;
    const what = Number.isFinite(given) ? "outside the range of f32" : "no finite number";
    fail(
      "input-not-finite",
      `${cite(input)} is ${given} for ${binding.height} ${wrong}, which is ${what}; find out where it comes from.`,
    );
  }
  return binding.values;
}

/** Numbers as pairs of floats, the nearest one and what is left. */
function pairsOf(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const pairs = new Float32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    pairs[2 * i] = values[i]!;
    pairs[2 * i + 1] = values[i]! - pairs[2 * i]!;
  }
  return pairs;
}

/** Two parameters to a vec4; at least one vec4, since a uniform cannot be empty. */
function parameters(plan: Plan, params: Params): Float32Array {
  const values = plan.params.map((param) => {
    const value = parameterValue(param, params);
    if (Number.isFinite(Math.fround(value))) return value;
    return fail(
      "parameter-exceeds-f32",
      `Parameter ${cite(param.name)} is ${value}, which is outside the range of f32; rescale it.`,
    );
  });
  const padding = values.length === 0 ? 2 : values.length % 2;
  return pairsOf([...values, ...Array.from({ length: padding }, () => 0)]);
}
