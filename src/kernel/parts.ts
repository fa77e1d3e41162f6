// A row that several workgroups share, for batches of so few rows that a workgroup each would leave an adapter idle. Every
// workgroup reads its part of the row and leaves its accumulators in memory; a second dispatch merges them by the same
// action that combines lanes (combine.ts), in a fixed order, and finishes the row.

import type { BlockPass } from "../block/block.ts";
import * as buffers from "./buffer.ts";
import { combineLanes, sharedState } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import * as row from "./row.ts";
import { stateOf, type State } from "./state.ts";
import type { Layout } from "./storage.ts";

const placeOf = (part: Value, split: number, state: readonly State[], i: number): k.Load => {
  const first = k.times(k.plus(k.times(row.token, k.u32(split)), part), k.u32(state.length));
  return k.load(buffers.parts, k.plus(first, k.u32(i)));
};

/** Leaves the accumulators of this workgroup's part. */
export const storePart = (pass: BlockPass, split: number): readonly Statement[] =>
  stateOf(pass).flatMap(({ variable, source }, i, state) => {
    const bits = variable.type === "u32" ? variable : k.bits("u32", variable);
    return k.about(source, [k.assign(placeOf(row.part, split, state, i), bits)]);
  });

/** The second dispatch of a pass whose rows are split. */
export function mergeKernel(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  given: Layout,
): Kernel {
  const { split } = given;
  const rowLanes = 2 ** Math.ceil(Math.log2(split));
  const combine = rowLanes === given.rowLanes ? given.combine : "shared";
  const layout: Layout = { ...given, rowLanes, combine, split: 1, groupRows: 1 };
  const opened = stateOf(pass).flatMap(
    ({ variable, start, source }, i, state): readonly Statement[] => {
      const stored = placeOf(k.lane, split, state, i);
      const value = variable.type === "u32" ? stored : k.bits("f32", stored);
      return k.about(source, [
        k.varValue(variable, start),
        k.when(k.infix(k.lane, "<", k.u32(split)), [k.assign(variable, value)]),
      ]);
    },
  );
  return {
    name: `merge the parts of ${pass.models.join(" and ")} rows`,
    bindings: [
      ...row.rowBindings(pass.models, layout),
      buffers.reads(buffers.parts),
      buffers.writes(buffers.rows),
      buffers.writes(buffers.status),
    ],
    workgroup: layout.rowLanes,
    shared: sharedState(pass, layout),
    body: [
      ...row.openRow(pass.models, layout),
      ...opened,
      ...combineLanes(pass, layout),
      k.when(k.infix(k.lane, "==", k.u32(0)), finish(pass, fieldIndex, layout)),
    ],
    grid: "row",
  };
}
