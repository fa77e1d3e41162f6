// Times schedules on a device: the same plan on the same logits under each of them, in turn, so that a machine whose speed
// drifts is fair to all. A schedule whose result differs from the default's by more than f32 explains is not taken.

import { lossError } from "../check/error.ts";
import { bytesPerEntry, toHalf, type StorageType } from "../core/storage.ts";
import { fromResponses } from "../batch/separate.ts";
import type { Batch } from "../batch/batch.ts";
import type { LogitsSource } from "../batch/source.ts";
import { fail, PrefcError } from "../core/error.ts";
import { wpo } from "../objectives/wpo.ts";
import type { ScheduleOptions } from "../schedule/schedule.ts";
import { compile } from "../compile/compile.ts";
import type { Device } from "../runtime/device/device.ts";
import { problemError, scoped } from "../runtime/device/scopes.ts";
import { bufferUsage } from "../runtime/device/usage.ts";

/** Sizes that a class of shapes is measured at. */
export interface MeasuredShape {
  readonly vocab: number;
  readonly rows: number;
  readonly dtype: StorageType;
}
/** Least milliseconds of GPU time of the kernels that read, and of those that write the gradient. */
export interface Times {
  readonly reading: number;
  readonly writing: number;
}
export interface Bench {
  /** Times of schedules in order, the default first; null for one that the adapter refuses or that computes something else. */
  readonly measure: (schedules: readonly ScheduleOptions[]) => Promise<readonly (Times | null)[]>;
  readonly destroy: () => void;
}

/** What is accepted of f32 (docs/notes/0004): each of two results may be 1e-5 off. */
const accepted = 2e-5;
const rounds = 7;

/** The least of all rounds: whatever else the machine does can only add to a time. */
const least = (values: readonly number[]): number => Math.min(...values);

const sizeOf = (vocab: number, dtype: StorageType, rows: number): number =>
  Math.ceil((rows * vocab) / 4) * 4 * bytesPerEntry(dtype);

/** Logits on the device: the same numbers for every row, turned, so that making them takes no time. */
function logitsOn(device: Device, { vocab, dtype }: MeasuredShape, rows: number): GPUBuffer {
  const size = sizeOf(vocab, dtype, rows);
  const buffer = device.gpu.createBuffer({
    label: "logits to tune with",
    size,
    usage: bufferUsage.storage | bufferUsage.copyTarget,
  });
  const chunk = new Float32Array(2 ** 20);
  let state = 1;
  for (let i = 0; i < chunk.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    chunk[i] = state / 2 ** 29 - 4;
  }
  const data = dtype === "f32" ? chunk : toHalf(chunk, dtype);
  for (let offset = 0; offset < size; offset += data.byteLength) {
    const bytes = Math.min(data.byteLength, size - offset);
    device.gpu.queue.writeBuffer(buffer, offset, data.buffer, 0, bytes);
  }
  return buffer;
}

/** One buffer for the gradients of all schedules, as large as the logits. */
const targetOn = (device: Device, { vocab, dtype }: MeasuredShape, rows: number): GPUBuffer =>
  device.gpu.createBuffer({
    label: "gradient to tune with",
    size: sizeOf(vocab, dtype, rows),
    usage: bufferUsage.storage,
  });

/** Logits of two models and the gradient of one, for two responses. @throws PrefcError byte-budget */
function refuseTooLarge(device: Device, { vocab, rows, dtype }: MeasuredShape, each: number): void {
  const one = sizeOf(vocab, dtype, each);
  const most = Math.min(device.byteBudget / 6, device.limits["maxBufferSize"] ?? Infinity);
  if (one <= most) return;
  fail(
    "byte-budget",
    `Measuring ${rows} rows of ${vocab} ${dtype} takes six buffers of ${one} bytes, and ${device.line} allows ${Math.floor(most)} for each; give fewer --rows.`,
  );
}

/**
 * Prepares a shape. @throws PrefcError timestamps-missing, when schedules are measured on an adapter without a clock;
 * byte-budget; gpu-out-of-memory
 */
export async function bench(device: Device, shape: MeasuredShape): Promise<Bench> {
  const each = Math.ceil(shape.rows / 2);
  refuseTooLarge(device, shape, each);
  const { value: buffers, problem } = scoped(device, () => [
    ...Array.from({ length: 4 }, () => logitsOn(device, shape, each)),
    ...Array.from({ length: 2 }, () => targetOn(device, shape, each)),
  ]);
  const destroy = (): void => {
    for (const buffer of buffers) buffer.destroy();
  };
  const found = await problem;
  if (found !== null) {
    destroy();
    throw problemError(device, `taking six buffers for ${shape.rows} rows, too many --rows`, found);
  }
  const [w, v, l, m, dw, dl] = buffers as [
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
  ];
  const into = { "policy.w": dw, "policy.l": dl };
  const stored = (data: GPUBuffer): LogitsSource => ({ data, dtype: shape.dtype });
  const labels = [Array.from({ length: each }, (_, t) => (t * 7919) % shape.vocab)];
  const batch: Batch = fromResponses(
    {
      w: { labels, policy_logits: stored(w), ref_logits: stored(v) },
      l: { labels, policy_logits: stored(l), ref_logits: stored(m) },
    },
    { vocab_size: shape.vocab },
  );
  const objective = wpo();
  let right: number | null = null;

  const measure: Bench["measure"] = async (schedules) => {
    const all = schedules.map((schedule) => ({
      compiled: compile(objective, { device, schedule, metrics: false }),
      reading: [] as number[],
      writing: [] as number[],
      usable: true,
    }));
    for (let round = -1; round < rounds; round++) {
      for (const one of all) {
        if (!one.usable) continue;
        try {
          const done = await one.compiled.valueAndGrad(batch, { profile: true, into });
          right ??= done.loss;
          if (lossError(done.loss, right) > accepted) one.usable = false;
          if (round < 0) continue;
          const total = (ofGradient: boolean): number =>
            done.times!.reduce(
              (sum, { kernel, milliseconds }) =>
                !kernel.startsWith("row program") && kernel.startsWith("write") === ofGradient
                  ? sum + milliseconds
                  : sum,
              0,
            );
          one.reading.push(total(false));
          one.writing.push(total(true));
        } catch (error) {
          // too much workgroup memory for this adapter, for instance
          const isRefused = error instanceof PrefcError && error.code === "shader-rejected";
          if (!isRefused || one === all[0]) throw error;
          one.usable = false;
        }
      }
    }
    for (const { compiled } of all) compiled.dispose();
    return all.map(({ usable, reading, writing }) =>
      usable ? { reading: least(reading), writing: least(writing) } : null,
    );
  };
  return {
    measure,
    destroy,
  };
}
