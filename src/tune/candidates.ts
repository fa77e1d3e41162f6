// Which schedules are tried on an adapter. Lanes, vectors and unrolling, and the parts of a row, hardly depend on each other,
// so one is varied after the other, each time around the fastest so far; the kernels that read and those that write the
// gradient are measured by the same runs and chosen apart.

import type { RowOptions, RowShape } from "../schedule/schedule.ts";
import type { Device } from "../runtime/device/device.ts";

/** The fields that are tuned, all given. */
export type Candidate = Required<RowOptions>;

/** What is varied next, around a schedule. */
export interface Stage {
  readonly name: string;
  readonly around: (best: Candidate) => readonly Candidate[];
}

const powers = (from: number, to: number): readonly number[] => {
  const all: number[] = [];
  for (let value = from; value <= to; value *= 2) all.push(value);
  return all;
};

export function stagesFor(
  { info, limits }: Pick<Device, "info" | "limits">,
  { rows, vocab }: RowShape,
): readonly Stage[] {
  const most = limits["maxComputeInvocationsPerWorkgroup"] ?? 256;
  const lanes = info.software ? powers(4, Math.min(64, most)) : powers(32, Math.min(1024, most));
  const layouts = ([4, 1] as const).flatMap((vector) =>
    powers(1, 8).map((unroll) => ({ vector, unroll })),
  );
  // with many rows every workgroup has one of its own
  const splits = rows <= 256 ? powers(1, 32) : [1];
  return [
    { name: "lanes", around: (best) => lanes.map((rowLanes) => ({ ...best, rowLanes })) },
    ...(vocab <= mostShared ? [{ name: "rows", around: sharing }] : []),
    { name: "vectors", around: (best) => layouts.map((layout) => ({ ...best, ...layout })) },
    { name: "parts", around: (best) => splits.map((split) => ({ ...best, split })) },
  ];
}

/** Rows of more entries have work for a workgroup each. */
const mostShared = 8192;

/** The lanes of a workgroup, given to one row or to several. */
const sharing = (best: Candidate): readonly Candidate[] => {
  const all = best.rowLanes * best.groupRows;
  return powers(1, all).map((groupRows) => ({ ...best, groupRows, rowLanes: all / groupRows }));
};

/** A schedule in a few words. */
export const candidateText = ({ rowLanes, vector, unroll, split, groupRows }: Candidate): string =>
  `${rowLanes} lanes, ${vector} x ${unroll}${split === 1 ? "" : `, ${split} parts`}${groupRows === 1 ? "" : `, ${groupRows} rows`}`;
