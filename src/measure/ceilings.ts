// The rates at which an adapter reads and copies memory, by the plainest kernels there can be: the ceilings that every
// other kernel is held against, and that predicted times follow from. The workgroup size is the fastest of a few.

import type { Device } from "../runtime/device/device.ts";
import { finished } from "../runtime/device/wait.ts";
import { bind, handwritten, maker, run, timed, type Dispatch } from "./dispatch.ts";
import type { StoredRates } from "./stored.ts";

/** Vectors of four numbers that a workgroup moves, at most: many workgroups fill a GPU, and few enough for one dispatch. */
const mostVectors = 2 ** 13;
const vectorBytes = 16;

/** How many workgroups of how many vectors move a buffer; a rest of less than one workgroup is left out. */
export function cut(bytes: number, maxBinding: number): { groups: number; vectors: number } {
  const total = Math.floor(Math.min(bytes, maxBinding) / vectorBytes);
  const groups = Math.min(65_535, Math.max(1, Math.ceil(total / mostVectors)));
  return { groups, vectors: Math.max(1, Math.floor(total / groups)) };
}

/** Workgroup sizes worth trying. */
export function lanesOf({ info, limits }: Device): readonly number[] {
  const most = limits["maxComputeInvocationsPerWorkgroup"] ?? 256;
  const least = Math.max(4, info.subgroupMaxSize);
  const all = info.software ? [least, 4 * least] : [64, 128, 256, 512, 1024];
  return all.filter((lanes) => lanes <= most);
}

/** A kernel that moves memory and does nothing else. */
export interface Ceiling {
  readonly kind: "copy" | "read";
  /** Bytes that it reads; a copy writes as many. */
  readonly bytes: number;
  /** Milliseconds on the GPU. */
  readonly gpu: () => Promise<number>;
  /** One run of it, to be timed from outside. */
  readonly call: () => Promise<void>;
  readonly destroy: () => void;
}

const tries = 5;

export const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function elapsed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Copies `source` to `target`, or reads it. */
export async function ceiling(
  device: Device,
  kind: "copy" | "read",
  source: GPUBuffer,
  target: GPUBuffer,
): Promise<Ceiling> {
  const { buffer, destroy } = maker(device);
  const { groups, vectors } = cut(
    source.size,
    device.limits["maxStorageBufferBindingSize"] ?? Infinity,
  );
  const bytes = groups * vectors * vectorBytes;
  const shape = buffer(16, Uint32Array.of(groups, vectors, 0, 0));
  const sums = buffer(groups * vectorBytes);
  // a dispatch of a millisecond may be half over before the thread that submitted it leaves its core to a software adapter, so
  // another one, over the target, comes before it
  const reading = await handwritten(device, "read", { LANES: lanesOf(device)[0]! });
  const leadIn: Dispatch = {
    part: "lead-in",
    pipeline: reading,
    bindings: bind(device, reading, [shape, { buffer: target, size: bytes }, sums]),
    groups,
  };
  const window = (of: GPUBuffer): GPUBufferBinding => ({ buffer: of, size: bytes });
  const hasClock = device.features.includes("timestamp-query");
  const timedOnce = async (dispatch: Dispatch): Promise<number> =>
    (await timed(device, [leadIn, dispatch]))[kind]!;
  const made: { readonly dispatch: Dispatch; ms: number }[] = [];
  for (const lanes of lanesOf(device)) {
    const pipeline = await handwritten(device, kind, { LANES: lanes });
    const destination = kind === "copy" ? window(target) : sums;
    const bindings = bind(device, pipeline, [shape, window(source), destination]);
    const dispatch: Dispatch = { part: kind, pipeline, bindings, groups };
    made.push({ dispatch, ms: Infinity });
  }
  // other work on the machine only adds time, so the best run tells sizes apart; in turns, as it may last
  for (let i = 0; i < tries; i++)
    for (const one of made) {
      const ms = hasClock
        ? await timedOnce(one.dispatch)
        : await elapsed(() => once(device, one.dispatch));
      one.ms = Math.min(one.ms, ms);
    }
  const { dispatch } = made.reduce((fastest, one) => (one.ms < fastest.ms ? one : fastest));
  return {
    kind,
    bytes,
    gpu: () => timedOnce(dispatch),
    call: () => once(device, dispatch),
    destroy,
  };
}

const once = (device: Device, dispatch: Dispatch): Promise<void> =>
  run(
    device,
    [dispatch],
    () => undefined,
    () => finished(device, "running a ceiling", { key: `ceiling ${dispatch.part}` }),
  );

/** Large enough for no cache, small enough for every adapter. */
const measuredBytes = 2 ** 27;
const rounds = 11;

/** Measures an adapter's rates on buffers of 128 MiB: medians of the GPU's clock, or of whole calls where it has none. */
export async function measureRates(device: Device): Promise<StoredRates> {
  const { buffer, destroy } = maker(device);
  const size = Math.min(measuredBytes, device.limits["maxStorageBufferBindingSize"] ?? Infinity);
  const [source, target] = [buffer(size), buffer(size)];
  const clock = device.features.includes("timestamp-query") ? "gpu" : "wall";
  const copy = await ceiling(device, "copy", source, target);
  const read = await ceiling(device, "read", source, target);
  const samples: Record<"copy" | "read", number[]> = { copy: [], read: [] };
  for (let round = 0; round < rounds; round++) {
    for (const one of [copy, read])
      samples[one.kind].push(clock === "gpu" ? await one.gpu() : await elapsed(one.call));
  }
  for (const one of [copy, read]) one.destroy();
  destroy();
  return {
    read_gb_s: read.bytes / middle(samples.read) / 1e6,
    copy_gb_s: (2 * copy.bytes) / middle(samples.copy) / 1e6,
    bytes: read.bytes,
    clock,
    measured: new Date().toISOString(),
  };
}
