// A compiled objective as a provider, with the options of a run.

import type { Batch, Compiled } from "../index.ts";
import { bytesPerEntry, type StorageType } from "../core/storage.ts";
import type { StepBytes } from "../explain/bytes.ts";
import { cachedHeight, cachedInputs } from "./cached.ts";
import { checkOf } from "./check.ts";
import { batchOf } from "./data.ts";
import { takeApart } from "./apart.ts";
import type { LayoutKind } from "../explain/shape.ts";
import type { Layout } from "./layout.ts";
import type { DeviceLogits } from "./logits.ts";
import type { Direction } from "./options.ts";
import {
  completionsOf,
  elapsed,
  gradientLeft,
  type Place,
  type Provider,
  type Sample,
} from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";

export interface Variant {
  readonly name: string;
  readonly metrics: boolean;
  readonly cachedReference: boolean;
  readonly inPlace: boolean;
  readonly layout: LayoutKind;
  /** The longest wait for the GPU. */
  readonly timeoutMs: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

/** What the dispatches of each direction move, with the zeros that a gradient pass writes on rows outside completions. */
function movesOf(
  compiled: Compiled,
  { rows, vocab, examples, responses, completionRows }: Layout,
  dtype: StorageType,
): Readonly<Record<Direction, readonly StepBytes[]>> {
  const byResponse = compiled.program.responses.map(
    (response) => [response, responses[response]!.labels.length] as const,
  );
  const { kernels } = compiled.explain({
    ...(byResponse.length === 0 ? {} : { rows: Object.fromEntries(byResponse) }),
    examples,
    vocab,
    dtype,
  }).valueAndGrad;
  const passes = kernels.filter(({ kind }) => kind === "gradient pass");
  const zeros = (rows - completionRows) * vocab * bytesPerEntry(dtype);
  const backward = passes.map(({ bytes }, position) => ({
    ...bytes,
    written: bytes.written + (position === 0 ? zeros : 0),
  }));
  const forward = kernels.flatMap(({ kind, bytes }) => (kind === "gradient pass" ? [] : [bytes]));
  return { forward, backward, full: [...forward, ...backward] };
}

/** A policy of its own for a gradient that takes its place, and how the logits come back. */
function inPlaceOf({ device, held }: Place): {
  readonly held: DeviceLogits;
  readonly restore: () => Promise<void>;
} {
  const { size, usage } = held.policy;
  const policy = device.gpu.createBuffer({ label: "policy logits in place", size, usage });
  const restore = async (): Promise<void> => {
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(held.policy, 0, policy, 0, size);
    device.gpu.queue.submit([encoder.finish()]);
    await device.gpu.queue.onSubmittedWorkDone();
  };
  return { held: { ...held, policy, gradient: policy, destroy: () => policy.destroy() }, restore };
}

/** A provider that can show the gradient which its last run left. */
export interface CompiledProvider extends Provider {
  readonly gradient: () => Promise<Float32Array>;
}

export async function compiledProvider(
  place: Place,
  subject: Subject,
  { name, metrics, cachedReference, inPlace, layout: kind, timeoutMs }: Variant,
): Promise<CompiledProvider> {
  const { device, layout, params } = place;
  const height = cachedReference ? cachedHeight(subject) : null;
  const heights = { ...subject.heights, ...(height === null ? {} : { ref: height }) };
  const compiled = compileSubject(subject, { device, metrics, heights });
  const { program } = compiled;
  const own = inPlace ? inPlaceOf(place) : null;
  const held = own?.held ?? place.held;
  const plain = batchOf(layout, compileSubject(subject).program, held);
  const given = height === null ? {} : cachedInputs(compiled, place, plain);
  const whole = batchOf(layout, program, held, given);
  const written = program.gradients.some(({ input }) => input.datum.kind === "logits");
  const apart = kind === "separate" ? takeApart(place, whole, program.inputs, written) : null;
  // a batch whose logits were overwritten by their gradient is spent, though its buffers are filled again
  const batchNow = (): Batch =>
    own === null ? (apart?.batch ?? whole) : batchOf(layout, program, held, given);
  const into = {
    params,
    timeoutMs,
    gradients: "keep",
    ...(written ? { into: apart?.into ?? { policy: held.gradient } } : {}),
  } as const;
  const { dtype } = held;
  const moves = movesOf(compiled, layout, dtype);
  // a gradient pass in place has another name than the one that is explained, so the others are told apart
  const before = new Set(
    compiled
      .explain({ vocab: layout.vocab, dtype })
      .valueAndGrad.kernels.flatMap((kernel) =>
        kernel.kind === "gradient pass" ? [] : [kernel.name],
      ),
  );
  const visited = (steps: readonly StepBytes[]): number =>
    sum(steps.map(({ read }) => read)) / bytesPerEntry(dtype);

  await own?.restore();
  const { loss } = await compiled.valueAndGrad(batchNow(), into);
  const afterFirst = compiled.memory().buffersCreated;
  await own?.restore();
  await compiled.valueAndGrad(batchNow(), into);
  const { bytes, buffersCreated } = compiled.memory();

  const gpu = async (): Promise<Sample> => {
    const { times } = await compiled.valueAndGrad(batchNow(), { ...into, profile: true });
    const total = sum(times!.map(({ milliseconds }) => milliseconds));
    const forward = sum(
      times!.flatMap(({ kernel, milliseconds }) => (before.has(kernel) ? [milliseconds] : [])),
    );
    const both = { forward, full: total };
    return moves.backward.length === 0 ? both : { ...both, backward: total - forward };
  };
  const wall = async (): Promise<Sample> => {
    const batch = batchNow();
    return {
      forward: await elapsed(() => compiled.value(batch, { params, timeoutMs })),
      full: await elapsed(() => compiled.valueAndGrad(batch, into)),
    };
  };
  const entries = {
    forward: visited(moves.forward),
    backward: visited(moves.backward),
    full: visited(moves.full),
  };
  return {
    name,
    objective: subject.name,
    dtype,
    moves,
    entries,
    prepare: own?.restore ?? null,
    sample: { gpu, wall },
    check: await checkOf(compiled, place, whole, loss),
    gradient: apart?.gradient ?? (() => gradientLeft(device, held)),
    memory: { bytes, created: buffersCreated - afterFirst },
    ...completionsOf(layout),
    layout: kind,
    padding: layout.padding,
    metrics,
    cachedReference: height !== null,
    inPlace: inPlace && written,
    destroy: () => {
      compiled.dispose();
      own?.held.destroy();
      apart?.destroy();
    },
  };
}
