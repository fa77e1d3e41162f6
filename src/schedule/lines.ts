// How explanations print a schedule: lanes, vectors and parts of a row, for the passes that read and for the gradient. Where the two are
// alike they share a line; how lanes are combined is told only where they are a subgroup.

import type { RowSchedule, Schedule } from "./schedule.ts";

/** How the kernels over rows are laid out; the gradient's in a line of its own where it differs. */
export function scheduleLines(schedule: Schedule): readonly string[] {
  const line = ({ rowLanes, vector, unroll, split, groupRows }: RowSchedule): string => {
    const together = groupRows === 1 ? "" : `, ${groupRows} rows to a workgroup as they are short`;
    const lanes = `${rowLanes} ${rowLanes === 1 ? "lane" : "lanes"} to ${split === 1 ? "a row" : `each of ${split} parts of a row`}`;
    return `${lanes}, each with ${vector} x ${unroll} logits in flight${together}`;
  };
  const [reading, writing] = [line(schedule), line(schedule.gradient)];
  return [
    reading,
    ...(reading === writing ? [] : [`gradient: ${writing}`]),
    ...(schedule.combine === "subgroup"
      ? ["lanes are combined as the subgroup that they are"]
      : []),
  ];
}
