// The ceilings of an adapter as providers: copying as many bytes as the logits have, which a gradient pass must do, and
// reading and adding them up, which a forward pass must do. The workgroup size is the fastest of a few.

import { bytesPerEntry } from "../src/core/storage.ts";
import type { Device } from "../src/index.ts";
import { finished } from "../src/runtime/readback.ts";
import { bind, handwritten, maker, run, timed, type Dispatch } from "./dispatch.ts";
import type { DeviceLogits } from "./logits.ts";
import { elapsed, plain, unchecked, type Provider, type Sample } from "./provider.ts";

/** Vectors of four that a workgroup moves, at most; enough workgroups to fill a GPU, and few enough for one dispatch. */
const mostVectors = 2 ** 13;

/** How many workgroups of how many vectors move a buffer; a rest of less than one workgroup is left out. */
export function cut(bytes: number, maxBinding: number): { groups: number; vectors: number } {
  const total = Math.floor(Math.min(bytes, maxBinding) / 16);
  const groups = Math.min(65_535, Math.max(1, Math.ceil(total / mostVectors)));
  return { groups, vectors: Math.max(1, Math.floor(total / groups)) };
}

/** Workgroup sizes worth trying. */
export function lanesOf({ info, limits }: Device): readonly number[] {
  const most = limits["maxComputeInvocationsPerWorkgroup"] ?? 256;
  const least = info.software ? Math.max(4, info.subgroupMaxSize) : 64;
  const all = info.software ? [least, 4 * least] : [64, 128, 256, 512, 1024];
  return all.filter((lanes) => lanes <= most);
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Copying and reading, in this order. */
export async function ceilings(device: Device, held: DeviceLogits): Promise<readonly Provider[]> {
  const copy = await ceiling(device, "copy", held);
  const read = await ceiling(device, "read", held);
  return [copy, read];
}

async function ceiling(
  device: Device,
  kind: "copy" | "read",
  held: DeviceLogits,
): Promise<Provider> {
  const { buffer, destroy } = maker(device);
  const most = device.limits["maxStorageBufferBindingSize"] ?? Infinity;
  const { groups, vectors } = cut(held.bytes, most);
  const shape = buffer(16, Uint32Array.of(groups, vectors, 0, 0));
  const bytes = groups * vectors * 16;
  // smaller than a vector: the copy is of what the buffer holds, which the binding below is large enough for
  const window = (of: GPUBuffer): GPUBufferBinding => ({
    buffer: of,
    size: Math.min(of.size, Math.max(16, bytes)),
  });
  const target = kind === "copy" ? window(held.gradient) : buffer(groups * 16);
  const made: { dispatch: Dispatch; ms: number }[] = [];
  for (const lanes of lanesOf(device)) {
    const pipeline = await handwritten(device, kind, { LANES: lanes });
    const bindings = bind(device, pipeline, [shape, window(held.policy), target]);
    const dispatch: Dispatch = { part: kind, pipeline, bindings, groups };
    const runs: number[] = [];
    for (let i = 0; i < 4; i++) runs.push(await elapsed(() => wall(device, dispatch)));
    made.push({ dispatch, ms: middle(runs.slice(1)) });
  }
  const { dispatch } = made.reduce((fastest, one) => (one.ms < fastest.ms ? one : fastest));
  const direction = kind === "copy" ? "backward" : "forward";
  const sampled = (ms: number): Sample => ({ [direction]: ms });
  const moved = { read: bytes, written: kind === "copy" ? bytes : 0, small: 0 };
  return {
    ...plain,
    dtype: held.dtype,
    name: `ceiling-${kind}`,
    objective: null,
    moves: { [direction]: [moved] },
    entries: { [direction]: bytes / bytesPerEntry(held.dtype) },
    sample: {
      gpu: async () => sampled((await timed(device, [dispatch]))[kind]!),
      wall: async () => sampled(await elapsed(() => wall(device, dispatch))),
    },
    check: unchecked,
    destroy,
  };
}

const wall = (device: Device, dispatch: Dispatch): Promise<void> =>
  run(
    device,
    [dispatch],
    () => undefined,
    () => finished(device, "running a ceiling", { key: `ceiling ${dispatch.part}` }),
  );
