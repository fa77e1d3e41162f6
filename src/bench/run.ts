// A run of the benchmark: every shape that was asked for, each measured in rounds; lines are handed on as they are made, so that
// an interrupted run keeps them.

import type { StorageType } from "../core/storage.ts";
import type { Device } from "../index.ts";
import { storeRates } from "../measure/stored.ts";
import { busyness, type Busy } from "./busy.ts";
import { groups, providersOf, shapeOf, type Shape } from "./cases.ts";
import { checkKernels, type Handwritten } from "./handwritten.ts";
import type { Line } from "./line.ts";
import { linesOf, ratesOf, type Measured, type Setting } from "./lines.ts";
import { lengthsIn } from "./lengths.ts";
import { sectionOf, uploadLogits, type DeviceLogits } from "./logits.ts";
import type { Clock, Options } from "./options.ts";
import type { RecordedStep } from "./recorded.ts";
import { flusher, measureRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";
import type { Data } from "./values.ts";

/** What a shape is measured beside. */
export interface Beside {
  readonly held: DeviceLogits;
  readonly shape: Shape;
  readonly flush: (clock: Clock) => Promise<void>;
  readonly onStep: (done: number, what: string) => void;
}
export interface Run {
  readonly setting: Setting;
  readonly subjects: readonly Subject[];
  readonly kernels: readonly Handwritten[];
  readonly options: Options;
  /** A recorded step that everything runs on, instead of the shapes of the options. */
  readonly recorded?: RecordedStep | null;
  readonly keep: (line: Line) => void;
  /** Told what is under way, and how much of a shape is done. */
  readonly bar: { readonly at: (done: number, what: string) => void; readonly end: () => void };
  /** More that is measured on the same logits. */
  readonly beside?: (beside: Beside) => Promise<void>;
}

interface Which {
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  readonly data: Data;
}

/** Measures everything. What other work took of the machine meanwhile is returned. */
export async function measure(run: Run): Promise<Busy> {
  checkKernels(run.kernels, run.subjects);
  const { options } = run;
  const busy = busyness();
  const { recorded = null } = run;
  if (recorded !== null) {
    await measureShape(run, { ...recorded, data: recorded });
    return busy();
  }
  for (const data of options.data)
    for (const dtype of options.dtype)
      for (const vocab of options.vocab)
        for (const rows of options.rows) await measureShape(run, { rows, vocab, dtype, data });
  return busy();
}

async function measureShape(run: Run, { rows, vocab, dtype, data }: Which): Promise<void> {
  const { setting, options, bar } = run;
  const { device } = setting;
  const lengths = lengthsIn(options.lengths);
  const held = await uploadLogits(device, rows, vocab, dtype, data);
  const heldSingle = dtype === "f32" ? null : await uploadLogits(device, rows, vocab, "f32", data);
  const { flush, destroy } = await flusher(device, options.flushBytes);
  try {
    const shape = shapeOf(device, held, lengths);
    const single = heldSingle === null ? null : shapeOf(device, heldSingle, lengths);
    const parts = groups(run.subjects);
    const [compared] = run.subjects;
    for (const [position, subjects] of parts.entries()) {
      const onSample = (done: number, what: string): void =>
        bar.at((position + done) / parts.length, `${sectionOf(held)}  ${what}`);
      onSample(0, `checking ${subjects.map(({ name }) => name).join(", ")}`);
      const { kernels } = run;
      const providers = await providersOf(device, { held, shape, single }, subjects, {
        kernels,
        options,
      });
      const samples = await measureRounds(providers, { ...options, flush, onSample });
      const measured = { providers, samples, subjects, held, first: compared!.name };
      keepRates(device, held.bytes, measured, options);
      // the first subject is in every group; its lines are written once
      linesOf(measured, options, setting)
        .filter((line) => position === 0 || line.objective !== compared!.name)
        .forEach(run.keep);
      for (const provider of providers) provider.destroy();
    }
    const onStep = (done: number, what: string): void =>
      bar.at(done, `${sectionOf(held)}  ${what}`);
    await run.beside?.({ held, shape, flush, onStep });
  } finally {
    bar.end();
    destroy();
    held.destroy();
    heldSingle?.destroy();
  }
}

/** Logits below this size may lie in a cache, and say little of memory. */
const leastKept = 2 ** 24;

/** Keeps the ceilings that were measured for `prefc explain`, which predicts times from them. */
function keepRates(device: Device, bytes: number, measured: Measured, options: Options): void {
  if (bytes < leastKept) return;
  const clock = options.clocks.includes("gpu") ? "gpu" : "wall";
  const { read, copy } = ratesOf(measured, clock);
  const when = new Date().toISOString();
  storeRates(device.line, { read_gb_s: read, copy_gb_s: copy, bytes, clock, measured: when });
}

/** Timestamps are left out on an adapter that has none; `tell` hears of it. */
export function withClocks<T extends Options>(
  options: T,
  device: Device,
  tell: (sentence: string) => void,
): T {
  if (!options.clocks.includes("gpu") || device.features.includes("timestamp-query"))
    return options;
  tell(`${device.line} writes no timestamps: whole calls are timed instead.`);
  return { ...options, clocks: ["wall"] };
}
