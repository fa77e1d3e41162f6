// Records a run and submits it: its data, every dispatch, and the copies of what is to be read. All of it without waiting in
// between, so that runs in flight cannot mix their commands or their error scopes.

import type { LogitsTensor } from "../../batch/batch.ts";
import { bufferBytes, dtypeOf, vocabOf } from "../../batch/logits.ts";
import { statusWords } from "../../kernel/status.ts";
import { gridOf } from "./dispatches.ts";
import type { Executed, Run } from "./run.ts";
import type { Pipeline } from "../shaders/pipelines.ts";
import { partBytes } from "./large.ts";
import { recordCopies, type Part } from "./copies.ts";
import { resources, type Resources } from "./resources.ts";
import type { Timer } from "./timing.ts";

/** A gradient that is too large to be read with the rest. */
interface Large {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  readonly asStored: (words: ArrayBuffer) => Float32Array | Uint16Array;
}
type Results = Omit<Executed, "stacked" | "times">;
/** What was submitted: where it is read from, and what it means. */
export interface Submitted {
  readonly staging: GPUBuffer;
  readonly bytes: number;
  readonly results: (read: ArrayBuffer) => Results;
  readonly large: readonly Large[];
}

/** @param pipelines those of the dispatches, in their order */
export function submit(run: Run, pipelines: readonly Pipeline[], clock: Timer | null): Submitted {
  const { device, held, dispatches } = run;
  const made = resources(run);
  const { wanted, results, large } = readings(made, run);
  const encoder = device.gpu.createCommandEncoder();
  encoder.clearBuffer(made.status);
  const pass = clock === null ? encoder.beginComputePass() : null;
  dispatches.forEach((dispatch, position) => {
    const current = pass ?? encoder.beginComputePass({ timestampWrites: clock!.writes(position) });
    const { pipeline, layout } = pipelines[position]!;
    const entries = dispatch.kernel.bindings.map(({ role }, binding) => ({
      binding,
      resource: made.binding(role, dispatch, position),
    }));
    current.setPipeline(pipeline);
    current.setBindGroup(0, device.gpu.createBindGroup({ layout, entries }));
    current.dispatchWorkgroups(...gridOf(dispatch));
    if (clock !== null) current.end();
  });
  pass?.end();
  clock?.resolve(encoder);
  const { staging, bytes, parts } = recordCopies(encoder, held, wanted);
  device.gpu.queue.submit([encoder.finish()]);
  return { staging, bytes, large, results: (read) => results(parts(read)) };
}

/** Every part of a buffer that is to be read, and what the parts mean. */
function readings(
  made: Resources,
  { plan, batch, stacked, perExample, keep, into }: Run,
): {
  readonly wanted: readonly Part[];
  readonly large: readonly Large[];
  readonly results: (parts: readonly ArrayBuffer[]) => Results;
} {
  const wanted: Part[] = [];
  const large: Large[] = [];
  const want = (source: GPUBuffer, offset: number, bytes: number): number =>
    wanted.push({ source, offset, bytes }) - 1;
  const exampleBytes = 8 * batch.examples;

  const status = want(made.status, 0, statusWords(plan.models.length) * 4);
  const scalars = want(made.scalars, 0, plan.scalars.length * 8);
  const losses =
    perExample && plan.perExample !== null
      ? want(made.examples, plan.perExample * exampleBytes, exampleBytes)
      : null;
  const each = (perExample ? plan.each : []).map(({ name, slot }) => ({
    name,
    part: want(made.examples, slot * exampleBytes, exampleBytes),
  }));
  const high = plan.highGradients.map(({ input, response, slot }) => {
    if (response === null)
      return { input, part: want(made.examples, slot * exampleBytes, exampleBytes), pairs: true };
    const base = stacked.bases[plan.responses.indexOf(response)]!;
    const { length } = batch.responses[response]!.labels;
    const start = (slot * stacked.tokens + base) * 4;
    return { input, part: want(made.rows, start, length * 4), pairs: false };
  });
  const gradients = [...made.gradients].map(([name, { buffer, tensor }]) => {
    const bytes = bufferBytes(tensor.rows * vocabOf(tensor, batch), dtypeOf(tensor));
    const asStored = (words: ArrayBuffer): Float32Array | Uint16Array =>
      storedIn(words, tensor, vocabOf(tensor, batch));
    const stays = keep || Object.hasOwn(into, name);
    if (!stays && bytes > partBytes) large.push({ name, buffer, bytes, asStored });
    const part = stays || bytes > partBytes ? null : want(buffer, 0, bytes);
    return { name, buffer, part, asStored };
  });

  return {
    wanted,
    large,
    results: (parts) => {
      const floats = (part: number): Float32Array => new Float32Array(parts[part]!);
      const sums = floats(scalars);
      return {
        status: new Uint32Array(parts[status]!),
        scalars: Float64Array.from(plan.scalars, (_, i) => sums[2 * i]! + sums[2 * i + 1]!),
        perExample: losses === null ? null : singlesOf(floats(losses)),
        each: new Map(each.map(({ name, part }) => [name, singlesOf(floats(part))])),
        highGradients: new Map(
          high.map(({ input, part, pairs }) => [
            input,
            pairs ? singlesOf(floats(part)) : floats(part),
          ]),
        ),
        gradients: new Map(
          gradients.map(({ name, buffer, part, asStored }) => [
            name,
            part === null ? buffer : asStored(parts[part]!),
          ]),
        ),
      };
    },
  };
}

/** A gradient as it is stored: a last half word belongs to no entry. */
const storedIn = (
  words: ArrayBuffer,
  tensor: LogitsTensor,
  vocab: number,
): Float32Array | Uint16Array =>
  dtypeOf(tensor) === "f32"
    ? new Float32Array(words)
    : new Uint16Array(words, 0, tensor.rows * vocab);

/** Values per example are pairs whose first part is the nearest single float. */
const singlesOf = (pairs: Float32Array): Float32Array => pairs.filter((_, i) => i % 2 === 0);
