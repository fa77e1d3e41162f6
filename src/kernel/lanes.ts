// Which row a lane has. A workgroup has one row, or, where rows are short, several of them, each with neighbouring lanes; then
// lanes without a row stay where others wait for them at a barrier.

import * as k from "./kernel.ts";
import type { Statement, Value, Variable } from "./kernel.ts";
import type { RowSchedule } from "../schedule/schedule.ts";

/** The row of a lane among those of the window. */
export const place: Variable = k.variable("place", "u32");
const rowLane: Variable = k.variable("row_lane", "u32");
/** The number of a lane among those of its row. */
export const laneInRow = ({ rowLanes, groupRows }: RowSchedule): Value =>
  groupRows === 1 ? k.lane : rowLanes === 1 ? k.u32(0) : rowLane;
/** Whether a row that shares its workgroup is one of this pass, where its lanes stay for barriers in any case. */
export const isRow: Variable = k.variable("is_row", "bool");
/** Whether lanes of other rows wait for those of a row that is none. */
export const mustStay = ({ rowLanes, groupRows }: RowSchedule): boolean =>
  groupRows > 1 && rowLanes > 1;
/** Whether this lane finishes its row. */
export const finishesRow = (schedule: RowSchedule): Value => {
  const first = k.infix(laneInRow(schedule), "==", k.u32(0));
  return mustStay(schedule) ? k.infix(first, "&&", isRow) : first;
};

/** Which row of the window this lane works on, and as which of its lanes. */
export function placeRow({ rowLanes, groupRows }: RowSchedule): readonly Statement[] {
  const group = k.plus(k.times(k.group.y, k.uniform("grid width")), k.group.x);
  if (groupRows === 1) return [k.letValue(place, group)];
  const own = rowLanes === 1 ? k.lane : k.infix(k.lane, "/", k.u32(rowLanes));
  return [
    k.letValue(place, k.plus(k.times(group, k.u32(groupRows)), own)),
    ...(rowLanes === 1 ? [] : [k.letValue(rowLane, k.infix(k.lane, "%", k.u32(rowLanes)))]),
  ];
}
