// The kernels of kernels/expert as a provider: DPO and WPO written by hand, the bar for compiled kernels. They take
// completions of one length, rows that are all tokens, and rows made of whole vectors of 16 bytes, in f32 or bf16.

import { builtIn, compile, type Device } from "../src/index.ts";
import { lanesOf } from "../src/measure/ceilings.ts";
import { bytesPerEntry, type StorageType } from "../src/core/storage.ts";
import { acceptedGpuError, lossError } from "../src/check/error.ts";
import { windows } from "../src/runtime/run/stack.ts";
import { readBuffer, readStaging } from "../src/runtime/device/read.ts";
import { bufferUsage } from "../src/runtime/device/usage.ts";
import { interpreter } from "./check.ts";
import { batchOf } from "./data.ts";
import { bind, handwritten, maker, run, timed, type Dispatch } from "../src/measure/dispatch.ts";
import { evenLength, type Layout } from "./layout.ts";
import type { DeviceLogits } from "./logits.ts";
import {
  elapsed,
  gradientLeft,
  plain,
  type Place,
  type Provider,
  type Sample,
} from "./provider.ts";

interface Expert {
  readonly gpu: () => Promise<Sample>;
  readonly forward: () => Promise<number>;
  readonly full: () => Promise<number>;
  readonly destroy: () => void;
}

/** Entries in 16 bytes. */
const vectorOf = (dtype: StorageType): number => 16 / bytesPerEntry(dtype);

/** Whether the hand-written kernels can run this. */
export const isWrittenByHand = (
  objective: string,
  { layout, held }: Pick<Place, "layout" | "held">,
): boolean =>
  held.dtype !== "f16" &&
  (objective === "dpo" || objective === "wpo") &&
  layout.vocab % vectorOf(held.dtype) === 0 &&
  evenLength(layout) !== null;

/** Windows start at multiples of so many rows: then labels, of 4 bytes a row, start where a binding may. */
const labelsAlignment = 64;

/** The fastest of the workgroup sizes, by the best of a few runs. */
async function fastest(
  { device, layout, held }: Place,
  objective: string,
  cachedReference: boolean,
): Promise<Expert> {
  const tried: { readonly made: Expert; ms: number }[] = [];
  const all = lanesOf(device);
  for (const lanes of all) {
    const made = await expertOf(device, objective, layout, held, cachedReference, lanes);
    tried.push({ made, ms: Infinity });
  }
  // other work on the machine only adds time, so the best run tells sizes apart; in turns, as it may last
  for (let i = 0; i < (all.length === 1 ? 0 : 5); i++)
    for (const one of tried) one.ms = Math.min(one.ms, (await one.made.gpu()).full!);
  const best = tried.reduce((least, one) => (one.ms < least.ms ? one : least));
  for (const { made } of tried) if (made !== best.made) made.destroy();
  return best.made;
}

/** The provider, and the gradient that it computes, for others to be compared with. */
export async function expertProvider(
  place: Place,
  objective: string,
  cachedReference: boolean,
): Promise<{ readonly provider: Provider; readonly gradient: Float32Array }> {
  const { device, layout, held, truth } = place;
  const made = await fastest(place, objective, cachedReference);
  const loss = await made.full();
  const gradient = await gradientLeft(device, held);
  const { program } = compile(builtIn(objective));
  const expected = truth.loss(program, batchOf(layout, program.inputs, held));
  const off = expected === null ? null : lossError(loss, expected);
  const { bytes } = held;
  const reads = [held.bytes, ...(cachedReference ? [] : [held.bytes])];
  const forward = reads.map((read) => ({ read, written: 0, small: 0 }));
  const backward = [{ read: bytes, written: bytes, small: 0 }];
  const each = bytes / bytesPerEntry(held.dtype);
  const entries = { forward: reads.length * each, backward: each };
  const provider: Provider = {
    ...plain,
    cachedReference,
    dtype: held.dtype,
    name: "expert",
    objective,
    moves: { forward, backward, full: [...forward, ...backward] },
    entries: { ...entries, full: entries.forward + entries.backward },
    sample: {
      gpu: made.gpu,
      wall: async () => ({
        forward: await elapsed(made.forward),
        full: await elapsed(made.full),
      }),
    },
    check: {
      loss,
      lossError: off,
      gradientError: null,
      against: off === null ? null : interpreter,
      ok: off === null || off <= acceptedGpuError(),
    },
    destroy: made.destroy,
  };
  return { provider, gradient };
}

async function expertOf(
  device: Device,
  objective: string,
  layout: Layout,
  held: DeviceLogits,
  cachedReference: boolean,
  lanes: number,
): Promise<Expert> {
  const { rows, vocab, examples, responses, rowIndex } = layout;
  const { buffer, destroy } = maker(device);
  const length = evenLength(layout)!;
  const constants = { LANES: lanes, WEIGHTED: objective === "wpo" ? 1 : 0, TOKENS: length };
  const shape = buffer(16, Uint32Array.of(rows, vocab / vectorOf(held.dtype), 0, 0));
  const labelOf = new Uint32Array(rows);
  for (const [response, index] of Object.entries(rowIndex))
    index.forEach((row, token) => (labelOf[row] = responses[response]!.labels[token]!));
  const labels = buffer(rows * 4, labelOf);
  const [policyStats, referenceStats] = [buffer(rows * 16), buffer(rows * 16)];
  const coefficients = buffer(rows * 4);
  const losses = buffer(examples * 4);

  const suffix = held.dtype === "bf16" ? "_bf16" : "";
  const forward = await handwritten(device, `forward${suffix}`, constants);
  const plain = await handwritten(device, `forward${suffix}`, { ...constants, WEIGHTED: 0 });
  const loss = await handwritten(device, "loss", constants);
  const backward = await handwritten(device, `backward${suffix}`, constants);

  const rowBytes = vocab * bytesPerEntry(held.dtype);
  const most = device.limits["maxStorageBufferBindingSize"] ?? Infinity;
  const cut = windows(
    rows,
    rowBytes,
    { maxBinding: Math.min(most, 65_535 * rowBytes), alignment: labelsAlignment * rowBytes },
    "the logits of hand-written kernels",
  );
  const part = (of: GPUBuffer, bytes: number, { firstRow, rows: count }: (typeof cut)[number]) => ({
    buffer: of,
    offset: firstRow * bytes,
    size: count * bytes,
  });
  const forwardOn = (
    name: string,
    pipeline: GPUComputePipeline,
    logits: GPUBuffer,
    stats: GPUBuffer,
  ): readonly Dispatch[] =>
    cut.map((window) => ({
      part: name,
      pipeline,
      bindings: bind(device, pipeline, [
        shape,
        part(logits, rowBytes, window),
        part(labels, 4, window),
        part(stats, 16, window),
      ]),
      groups: window.rows,
    }));
  const reference = forwardOn("forward", plain, held.ref, referenceStats);
  const lossDispatch: Dispatch = {
    part: "forward",
    pipeline: loss,
    bindings: bind(device, loss, [shape, policyStats, referenceStats, coefficients, losses]),
    groups: Math.ceil(examples / 64),
  };
  const ahead: readonly Dispatch[] = [
    ...forwardOn("forward", forward, held.policy, policyStats),
    ...(cachedReference ? [] : reference),
    lossDispatch,
  ];
  const behind: readonly Dispatch[] = cut.map((window) => ({
    part: "backward",
    pipeline: backward,
    bindings: bind(device, backward, [
      shape,
      part(held.policy, rowBytes, window),
      part(labels, 4, window),
      part(policyStats, 16, window),
      part(coefficients, 4, window),
      part(held.gradient, rowBytes, window),
    ]),
    groups: window.rows,
  }));
  if (cachedReference) {
    // what would be cached: the statistics of the reference, left by one run
    const done = readBuffer.bind(null, device, referenceStats, 0, 16, "caching the reference");
    await run(device, reference, () => undefined, done);
  }

  const staging = device.gpu.createBuffer({
    size: Math.max(16, examples * 4),
    usage: bufferUsage.mapRead | bufferUsage.copyTarget,
  });
  const lossAfter = async (key: string, dispatches: readonly Dispatch[]): Promise<number> =>
    await run(
      device,
      dispatches,
      (encoder) => encoder.copyBufferToBuffer(losses, 0, staging, 0, examples * 4),
      async () => {
        const wait = { key: `expert ${objective} ${key}` };
        const bytes = await readStaging(device, staging, examples * 4, "reading losses", wait);
        return new Float32Array(bytes).reduce((sum, value) => sum + value, 0);
      },
    );
  return {
    gpu: async () => {
      const { forward: before = 0, backward: after = 0 } = await timed(device, [
        ...ahead,
        ...behind,
      ]);
      return { forward: before, backward: after, full: before + after };
    },
    forward: () => lossAfter("forward", ahead),
    full: () => lossAfter("full", [...ahead, ...behind]),
    destroy: () => {
      destroy();
      staging.destroy();
    },
  };
}
