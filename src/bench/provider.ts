// What the rounds of a benchmark measure, whoever computes it: how long each direction takes, what it moves, and whether
// its results are right.

import type { StepBytes } from "../explain/bytes.ts";
import { fromHalf, type StorageType } from "../core/storage.ts";
import type { Device, Params } from "../index.ts";
import { readBuffer } from "../runtime/device/read.ts";
import type { LayoutKind } from "../explain/shape.ts";
import type { Layout } from "./layout.ts";
import type { DeviceLogits } from "./logits.ts";
import type { Clock, Direction } from "./options.ts";
import type { Truth } from "./truth.ts";

/** Where providers run and on what. */
export interface Place {
  readonly device: Device;
  readonly held: DeviceLogits;
  readonly layout: Layout;
  readonly truth: Truth;
  /** Run-time parameters of the objective. */
  readonly params: Params;
}

/** Milliseconds by direction. */
export type Sample = Readonly<Partial<Record<Direction, number>>>;

/** Results that were compared with an independent value; null where there was none to compare with. */
export interface Check {
  readonly loss: number | null;
  readonly lossError: number | null;
  readonly gradientError: number | null;
  /** What the results were compared with. */
  readonly against: string | null;
  readonly ok: boolean;
  /** Where results are wrong: which output, at which place, by how much; in one sentence. */
  readonly wrong: string | null;
}
export interface Provider {
  readonly name: string;
  /** Null for a ceiling, which belongs to every objective. */
  readonly objective: string | null;
  /** How its logits and gradient are stored. */
  readonly dtype: StorageType;
  /** The dispatches of each direction, by what they move. */
  readonly moves: Readonly<Partial<Record<Direction, readonly StepBytes[]>>>;
  /** Entries of logits that each direction visits. */
  readonly entries: Readonly<Partial<Record<Direction, number>>>;
  /** What must be done before each sample, outside its time; null for nothing. */
  readonly prepare: (() => Promise<void>) | null;
  /** One sample by a clock, of every direction that it can tell. */
  readonly sample: Readonly<Record<Clock, () => Promise<Sample>>>;
  readonly check: Check;
  /** Bytes of buffers beside logits and gradient, and buffers made in the second step. */
  readonly memory: { readonly bytes: number; readonly created: number } | null;
  /** Share of the rows that are prompt or padding. */
  readonly padding: number;
  readonly metrics: boolean;
  /** Whether log-probabilities of the reference were given instead of its logits. */
  readonly cachedReference: boolean;
  /** Whether the gradient was written over the logits. */
  readonly inPlace: boolean;
  /** Whether the responses of a model share a tensor. */
  readonly layout: LayoutKind;
  readonly examples: number;
  /** Tokens of the shortest and the longest completion. */
  readonly tokens: readonly [shortest: number, longest: number];
  readonly destroy: () => void;
}

/** What most providers have no more to say of. */
export const plain = {
  prepare: null,
  padding: 0,
  metrics: false,
  cachedReference: false,
  inPlace: false,
  layout: "stacked",
  examples: 0,
  tokens: [0, 0],
  memory: null,
} as const;

/** Examples of a layout, and tokens of its shortest and longest completion. */
export function completionsOf({
  examples,
  responses,
}: Layout): Pick<Provider, "examples" | "tokens"> {
  const lengths = Object.values(responses).flatMap(({ offsets }) =>
    Array.from({ length: examples }, (_, i) => offsets[i + 1]! - offsets[i]!),
  );
  return {
    examples,
    tokens: lengths.length === 0 ? [0, 0] : [Math.min(...lengths), Math.max(...lengths)],
  };
}

export const unchecked: Check = {
  loss: null,
  lossError: null,
  gradientError: null,
  against: null,
  ok: true,
  wrong: null,
};

export const bytesOf = (steps: readonly StepBytes[]): number =>
  steps.reduce((sum, { read, written, small }) => sum + read + written + small, 0);

/** Milliseconds that a call takes. */
export async function elapsed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Bytes of a gradient that are read back to compare it. */
const mostRead = 2 ** 28;

/** The gradient that a provider left on the device, or its beginning. */
export async function gradientLeft(
  device: Device,
  { gradient, bytes, dtype }: DeviceLogits,
): Promise<Float32Array> {
  const during = "reading a gradient";
  const left = await readBuffer(device, gradient, 0, Math.min(bytes, mostRead), during);
  return dtype === "f32" ? new Float32Array(left) : fromHalf(new Uint16Array(left), dtype);
}
