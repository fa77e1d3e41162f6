// A row that several workgroups share, for batches of so few rows that a workgroup each would leave an adapter idle. Every
// workgroup reads its part of the row and leaves its accumulators in memory; a second dispatch merges them by the same
// action that combines lanes (combine.ts), in a fixed order, and finishes the row.

import type { OnlinePass } from "../stream/stages.ts";
import { combineLanes, sharedState, stateOf, type State } from "./combine.ts";
import { finish } from "./finish.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { momentsOf } from "./moment.ts";
import * as row from "./row.ts";
import type { Layout } from "./storage.ts";

const { name } = row;

const placeOf = (part: Value, split: number, state: readonly State[], i: number): k.Load => {
  const first = k.times(k.plus(k.times(row.token, k.u32(split)), part), k.u32(state.length));
  return k.load(buffers.parts, k.plus(first, k.u32(i)));
};

/** Leaves the accumulators of this workgroup's part. */
export const storePart = (state: readonly State[], split: number): readonly Statement[] =>
  state.flatMap(({ own, type, source }, i) => {
    const value = name(own, type);
    const bits = type === "u32" ? value : k.bits("u32", value);
    return k.about(source, [k.assign(placeOf(row.part, split, state, i), bits)]);
  });

/** The second dispatch of a pass whose rows are split. */
export function mergeKernel(
  pass: OnlinePass,
  fieldIndex: (field: string) => number,
  given: Layout,
): Kernel {
  const { split } = given;
  const rowLanes = 2 ** Math.ceil(Math.log2(split));
  const combine = rowLanes === given.rowLanes ? given.combine : "shared";
  const layout: Layout = { ...given, rowLanes, combine, split: 1 };
  const moments = momentsOf(pass.fields);
  const ties = pass.fields.flatMap((spec) => (spec.kind === "ties" ? [spec.model] : []));
  const state = stateOf(pass.models, moments, ties);
  const opened = state.flatMap(({ own, type, start, source }, i): readonly Statement[] => {
    const stored = placeOf(k.lane, split, state, i);
    const value = type === "u32" ? stored : k.bits("f32", stored);
    return k.about(source, [
      k.varValue(name(own, type), start),
      k.when(k.infix(k.lane, "<", k.u32(split)), [k.assign(name(own, type), value)]),
    ]);
  });
  return {
    name: `merge the parts of ${pass.models.join(" and ")} rows`,
    bindings: [
      ...row.rowBindings(pass.models, layout),
      buffers.reads(buffers.parts),
      buffers.writes(buffers.rows),
      buffers.writes(buffers.status),
    ],
    workgroup: layout.rowLanes,
    shared: sharedState(pass.models, moments, ties, layout),
    body: [
      ...row.openRow(pass.models, layout),
      ...opened,
      ...combineLanes(pass.models, moments, ties, layout),
      k.when(k.infix(k.lane, "==", k.u32(0)), finish(pass, moments, fieldIndex, layout)),
    ],
    grid: "row",
  };
}
