// From samples to lines: one for each provider and direction of a group of rounds, with every figure that follows.

import { bytesPerEntry, type StorageType } from "../core/storage.ts";
import type { Device } from "../index.ts";
import { predictedMs } from "../explain/predict.ts";
import { schema, type Line } from "./line.ts";
import { sectionOf, type DeviceLogits } from "./logits.ts";
import type { Clock, Direction, Options } from "./options.ts";
import { bytesOf, type Provider } from "./provider.ts";
import type { Samples } from "./rounds.ts";
import { medianOf, pairedRatio, ratio, times, verdictOf } from "./statistics.ts";
import type { Subject } from "./subject.ts";
import { nameOfData } from "./values.ts";

/** Where and on what a run was made. */
export interface Setting {
  readonly device: Device;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}
export interface Measured {
  readonly providers: readonly Provider[];
  readonly samples: readonly Samples[];
  readonly subjects: readonly Subject[];
  /** The name of the subject that others are compared with. */
  readonly first: string;
  readonly held: DeviceLogits;
}

/** Rates of the ceilings of a group, in GB/s by its main clock. */
export function ratesOf(
  { providers, samples }: Measured,
  clock: Clock,
): { copy: number; read: number } {
  const rate = (name: string, direction: Direction): number => {
    const index = providers.findIndex((provider) => provider.name === name);
    const bytes = bytesOf(providers[index]!.moves[direction]!);
    return bytes / times(samples[index]![`${clock} ${direction}`]!).median / 1e6;
  };
  return { copy: rate("ceiling-copy", "backward"), read: rate("ceiling-read", "forward") };
}

/** The lines of a group, objective by objective; ceilings are repeated for each. */
export function linesOf(measured: Measured, options: Options, setting: Setting): readonly Line[] {
  const clock: Clock = options.clocks.includes("gpu") ? "gpu" : "wall";
  const ceiling = ratesOf(measured, clock);
  return measured.subjects.flatMap(({ name: objective }) =>
    measured.providers.flatMap((provider, index) =>
      provider.objective === null || provider.objective === objective
        ? options.directions.flatMap((direction) => {
            const own = measured.samples[index]![`${clock} ${direction}`];
            return own === undefined
              ? []
              : [lineOf(measured, { objective, index, direction, clock, ceiling }, setting)];
          })
        : [],
    ),
  );
}

interface Which {
  readonly objective: string;
  readonly index: number;
  readonly direction: Direction;
  readonly clock: Clock;
  readonly ceiling: { readonly copy: number; readonly read: number };
}

/** `dtype`: how the provider stores its logits, which may be in f32 beside others. */
const percentOfLogits = (
  bytes: number,
  { rows, vocab }: DeviceLogits,
  dtype: StorageType,
): number => (100 * bytes) / (rows * vocab * bytesPerEntry(dtype));

function lineOf(
  { providers, samples, held, first }: Measured,
  { objective, index, direction, clock, ceiling }: Which,
  { device, commit, versions }: Setting,
): Line {
  const provider = providers[index]!;
  const own = samples[index]![`${clock} ${direction}`]!;
  const wall = samples[index]![`wall ${direction}`];
  const { median, p20, p80 } = times(own);
  const whole = wall === undefined ? null : times(wall);
  const steps = provider.moves[direction]!;
  const bytes = bytesOf(steps);
  const isCeiling = provider.objective === null;
  const other = (name: string, of: string): readonly number[] | undefined => {
    const found = providers.findIndex((one) => one.name === name && one.objective === of);
    return found < 0 || isCeiling ? undefined : samples[found]![`${clock} ${direction}`];
  };
  // hand-written kernels do as much work only on the same rows and with the same reference
  const hand = providers.find((one) => one.name === "expert" && one.objective === objective);
  const isComparable =
    hand?.padding === provider.padding && hand.cachedReference === provider.cachedReference;
  const percentOf = (name: string, way: Direction): number => {
    const found = providers.findIndex((one) => one.name === name);
    const share = bytes / bytesOf(providers[found]!.moves[way]!);
    return 100 * share * ratio(samples[found]![`${clock} ${way}`], own)!;
  };
  const { check } = provider;
  const { memory } = provider;
  const rate = bytes / median / 1e6;
  const rates = { readGbS: ceiling.read, copyGbS: ceiling.copy };
  const predicted = steps.reduce((sum, step) => sum + predictedMs(step, rates), 0);
  const versusCompiled =
    provider.name === "compiled" || isCeiling
      ? null
      : pairedRatio(own, other("compiled", objective));
  return {
    schema,
    objective,
    provider: provider.name,
    rows: held.rows,
    vocab: held.vocab,
    dtype: provider.dtype,
    direction,
    ms_median: median,
    ms_p20: p20,
    ms_p80: p80,
    gb_s: rate,
    loss: check.loss,
    ok: check.ok,
    clock,
    samples: own.length,
    samples_ms: own,
    wall_samples_ms: wall ?? null,
    ms_interval: medianOf(own).interval,
    wall_ms_median: whole?.median ?? null,
    wall_ms_p20: whole?.p20 ?? null,
    wall_ms_p80: whole?.p80 ?? null,
    bytes,
    entries: provider.entries[direction]!,
    percent_of_copy: percentOf("ceiling-copy", "backward"),
    percent_of_read: percentOf("ceiling-read", "forward"),
    predicted_ms: predicted,
    speed_vs_expert: isComparable ? ratio(other("expert", objective), own) : null,
    ms_vs_compiled: ratio(own, other("compiled", objective)),
    ms_vs_compiled_interval: versusCompiled?.interval ?? null,
    verdict_vs_compiled: versusCompiled === null ? null : verdictOf(versusCompiled),
    ms_vs_first: objective === first ? null : ratio(own, other(provider.name, first)),
    speed_vs_f32:
      provider.name === "compiled" ? ratio(other("compiled-f32", objective), own) : null,
    checked_against: check.against,
    loss_error: check.lossError,
    gradient_error: check.gradientError,
    wrong: check.wrong,
    memory_bytes: memory?.bytes ?? null,
    memory_percent: memory === null ? null : percentOfLogits(memory.bytes, held, provider.dtype),
    new_buffers: memory?.created ?? null,
    padding: provider.padding,
    metrics: provider.metrics,
    cached_reference: provider.cachedReference,
    in_place: provider.inPlace,
    layout: provider.layout,
    examples: provider.examples,
    tokens: provider.tokens,
    data: nameOfData(held.data),
    section: sectionOf(held),
    device: device.line,
    driver: device.info.description,
    commit,
    versions,
  };
}
