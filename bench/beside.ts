// Puts peers beside a shape that is being measured: the same logits and labels, written for them once, and prefc's own step on
// what the device holds already.

import { builtIn, compile, type Device } from "../src/index.ts";
import { fromHalf } from "../src/core/storage.ts";
import { defaultAdapter } from "../src/runtime/device/adapter.ts";
import { readBuffer } from "../src/runtime/device/read.ts";
import type { Shape } from "../src/bench/cases.ts";
import { batchOf } from "../src/bench/data.ts";
import { evenLength, unevenRows } from "../src/bench/layout.ts";
import type { Setting } from "../src/bench/lines.ts";
import { logitsRows, sectionOf, type DeviceLogits } from "../src/bench/logits.ts";
import type { Subject } from "../src/bench/subject.ts";
import type { CheckoutOptions } from "./options.ts";
import type { PeerLine } from "./peerlines.ts";
import type { Own, Peer, PeerContext } from "./peerrounds.ts";
import { peerLines, peerObjectives } from "./peers.ts";
import { labelOf } from "../src/bench/values.ts";

const chunkBytes = 2 ** 26;

/** √Σ g² of the gradient on the device, a part at a time. */
async function gradientNorm(device: Device, held: DeviceLogits): Promise<number> {
  const { gradient, bytes, dtype } = held;
  let sum = 0;
  for (let from = 0; from < bytes; from += chunkBytes) {
    const length = Math.min(chunkBytes, Math.ceil((bytes - from) / 4) * 4);
    const part = await readBuffer(device, gradient, from, length, "reading a gradient");
    const entries = Math.min(length, bytes - from);
    const values =
      dtype === "f32"
        ? new Float32Array(part)
        : fromHalf(new Uint16Array(part, 0, entries / 2), dtype);
    for (const value of values) sum += value * value;
  }
  return Math.sqrt(sum);
}

const rowsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => first + i);

/** Keeps every line of every peer for the objectives that peers have; none for the others. */
export async function peersBeside(
  { device, commit, versions }: Setting,
  held: DeviceLogits,
  shape: Shape,
  peers: readonly Peer[],
  options: CheckoutOptions,
  subjects: readonly Subject[],
  {
    keep,
    ...extra
  }: Pick<PeerContext, "flush" | "onStep"> & {
    readonly keep: (line: PeerLine) => void;
  },
): Promise<void> {
  const objectives = options.objectives.filter((name) => peerObjectives.includes(name));
  if (objectives.length === 0 || peers.length === 0) return;
  const { rows, vocab, dtype, data } = held;
  const [first] = subjects.filter(({ name }) => objectives.includes(name));
  const { layout } = shape.place(first!, 0);
  const tokens = evenLength(layout);
  if (tokens === null) throw new Error(unevenRows(rows));
  const made = objectives.map((objective) => {
    const compiled = compile(builtIn(objective), { device });
    const batch = batchOf(layout, compiled.program, held);
    const into = { gradients: "keep", into: { policy: held.gradient } } as const;
    const own: Own = {
      objective,
      step: async () => (await compiled.valueAndGrad(batch, into)).loss,
      gradientNorm: () => gradientNorm(device, held),
    };
    return { own, dispose: () => compiled.dispose() };
  });
  const batch = {
    rows,
    vocab,
    labels: Uint32Array.from({ length: rows }, (_, row) => labelOf(row, vocab)),
    // peers store their logits themselves
    logits: (model: "policy" | "ref", first: number, count: number) =>
      logitsRows(model, rowsFrom(first, count), vocab, "f32", data) as Float32Array,
  };
  const context: PeerContext = {
    batch,
    tokens,
    dtype,
    adapter: options.adapter ?? (await defaultAdapter()),
    repeats: options.repeats,
    own: made.map(({ own }) => own),
    peers,
    section: sectionOf(held),
    setting: { data, device: device.line, driver: device.info.description, commit, versions },
    ...extra,
  };
  try {
    for await (const line of peerLines(context)) keep(line);
  } finally {
    for (const { dispose } of made) dispose();
  }
}
