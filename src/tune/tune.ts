// The search for the fastest schedules of a class of shapes: stage by stage around the fastest so far, against the default in
// the same rounds. What is not clearly faster than the default is not taken, so that noise changes nothing.

import { chooseSchedule, type RowSchedule } from "../schedule/schedule.ts";
import type { Device } from "../runtime/device/device.ts";
import { traitsOf } from "../runtime/device/traits.ts";
import { shapeClass, type TunedEntry } from "../schedule/tuning.ts";
import { stagesFor, type Candidate } from "./candidates.ts";
import type { Bench, MeasuredShape, Times } from "./measure.ts";

/** One schedule that was tried, by its time over the default's in the same rounds. */
export interface Tried {
  readonly stage: string;
  readonly candidate: Candidate;
  /** Null where the adapter refuses it or it computes something else. */
  readonly reading: number | null;
  readonly writing: number | null;
}
export interface Tuned {
  readonly shape: MeasuredShape;
  readonly tried: readonly Tried[];
  readonly reading: Chosen;
  readonly writing: Chosen;
  readonly entry: TunedEntry;
}
/** The schedule that was chosen, and its time over the default's. */
export interface Chosen {
  readonly candidate: Candidate;
  readonly ratio: number;
}
export interface TuneOptions {
  readonly signal: AbortSignal;
  /** Called before each stage with how much of the work is done, 0 to 1. */
  readonly at: (done: number, stage: string) => void;
  /** Today, such as 2026-01-31. */
  readonly day: string;
}

/** A schedule must be this much faster than the default to be chosen: times differ by a few per cent by chance. */
const clearly = 0.95;

const given = ({ rowLanes, vector, unroll, split, groupRows }: RowSchedule): Candidate => ({
  rowLanes,
  vector,
  unroll,
  split,
  groupRows,
});
type Part = "reading" | "writing";

/** Tunes one class of shapes; null when it was stopped. @throws PrefcError what running a plan throws */
export async function tune(
  device: Device,
  shape: MeasuredShape,
  { measure }: Bench,
  { signal, at, day }: TuneOptions,
): Promise<Tuned | null> {
  const usual = chooseSchedule(traitsOf(device), shape);
  const start: Readonly<Record<Part, Candidate>> = {
    reading: given(usual),
    writing: given(usual.gradient),
  };
  const best: Record<Part, Chosen> = {
    reading: { candidate: start.reading, ratio: 1 },
    writing: { candidate: start.writing, ratio: 1 },
  };
  const tried: Tried[] = [];
  const stages = stagesFor(device, shape);
  for (const [position, { name, around }] of stages.entries()) {
    at(position / stages.length, name);
    const candidates = distinct([
      ...around(best.reading.candidate),
      ...around(best.writing.candidate),
    ]);
    const schedules = candidates.map((one) => ({ ...one, gradient: one }));
    const [base, ...times] = await measure([
      { ...start.reading, gradient: start.writing },
      ...schedules,
    ]);
    if (signal.aborted) return null;
    candidates.forEach((candidate, i) => {
      const ratio = (part: Part): number | null => ratioOf(times[i]!, base!, part);
      tried.push({ stage: name, candidate, reading: ratio("reading"), writing: ratio("writing") });
    });
    for (const part of ["reading", "writing"] as const) {
      const own = tried.filter(({ stage }) => stage === name);
      for (const { candidate, [part]: ratio } of own) {
        const isFaster = ratio !== null && ratio < Math.min(best[part].ratio, clearly);
        if (isFaster && !isSame(candidate, start[part])) best[part] = { candidate, ratio };
      }
    }
  }
  // the best of many is partly luck: what was chosen is measured once more
  at(1, "once more");
  const [base, again] = await measure([
    { ...start.reading, gradient: start.writing },
    { ...best.reading.candidate, gradient: best.writing.candidate },
  ]);
  if (signal.aborted) return null;
  for (const part of ["reading", "writing"] as const) {
    const ratio = ratioOf(again!, base!, part) ?? Infinity;
    best[part] = ratio < clearly ? { ...best[part], ratio } : { candidate: start[part], ratio: 1 };
  }
  const isDefault = best.reading.ratio === 1 && best.writing.ratio === 1;
  const entry: TunedEntry = {
    ...shapeClass(shape),
    schedule: isDefault ? {} : { ...best.reading.candidate, gradient: best.writing.candidate },
    measured: day,
  };
  return { shape, tried, ...best, entry };
}

const ratioOf = (times: Times | null, base: Times | null, part: Part): number | null =>
  times === null || base === null ? null : times[part] / base[part];

const isSame = (a: Candidate, b: Candidate): boolean => JSON.stringify(a) === JSON.stringify(b);

const distinct = (candidates: readonly Candidate[]): readonly Candidate[] => [
  ...new Map(candidates.map((one) => [JSON.stringify(one), one])).values(),
];
