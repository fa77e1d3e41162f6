// A row that several workgroups share, for batches of so few rows that a workgroup each would leave an adapter idle. Every
// workgroup reads its part of the row and leaves its accumulators in memory; a second dispatch merges them by the same
// action that combines lanes (combine.ts), in a fixed order, and finishes the row.

import type { OnlinePass } from "../stream/stages.ts";
import { combineLanes, sharedState, stateOf, type State } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import type { Binding, Kernel, Statement, Value } from "./kernel.ts";
import { momentsOf } from "./moment.ts";
import * as row from "./row.ts";
import type { Layout } from "./storage.ts";
import { statusBinding } from "./status.ts";

const { name } = row;

/** Accumulators of every part of every token. */
export const partsBinding = (access: "read" | "write"): Binding => ({
  name: "parts",
  role: { kind: "parts" },
  access,
  type: "u32",
});

const placeOf = (part: Value, split: number, state: readonly State[], i: number): string => {
  const first = k.times(k.plus(k.times(row.token, k.u32(split)), part), k.u32(state.length));
  return `parts[${k.plus(first, k.u32(i)).code}]`;
};

/** Leaves the accumulators of this workgroup's part. */
export const storePart = (state: readonly State[], split: number): readonly Statement[] =>
  state.flatMap(({ own, type, source }, i) => {
    const value = name(own, type);
    const bits = type === "u32" ? value : k.call("bitcast<u32>", "u32", value);
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
    const stored = k.value("u32", placeOf(row.lane, split, state, i));
    const value = type === "u32" ? stored : k.call("bitcast<f32>", "f32", stored);
    return k.about(source, [
      k.varValue(own, start),
      k.when(k.infix(row.lane, "<", k.u32(split)), [k.assign(own, value)]),
    ]);
  });
  return {
    name: `merge the parts of ${pass.models.join(" and ")} rows`,
    bindings: [
      ...row.rowBindings(pass.models, layout),
      partsBinding("read"),
      { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
      statusBinding,
    ],
    workgroup: layout.rowLanes,
    shared: sharedState(pass.models, moments, ties, layout),
    body: [
      ...row.openRow(pass.models, layout),
      ...opened,
      ...combineLanes(pass.models, moments, ties, layout),
      k.when(k.infix(row.lane, "==", k.u32(0)), finish(pass, moments, fieldIndex, layout)),
    ],
    grid: "row",
  };
}
