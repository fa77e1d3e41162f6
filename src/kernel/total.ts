// A later pass: Σ_v or max_v of an expression that no running pass can make, because it needs results of an
// earlier one. It reads the logits once more; explanations name the term that forced it.

import type { Accumulator, BlockPass } from "../block/block.ts";
import { oneByOne } from "../schedule/schedule.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import * as row from "./row.ts";
import { overRow } from "./span.ts";
import type { Layout } from "./storage.ts";
import { openEntry, openGiven, valueAt } from "./terms.ts";

const [total, part] = [k.variable("total"), k.variable("part")];

export function totalKernel(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  paramValue: (name: string) => Value,
  paramVectors: number,
  given: Layout,
): Kernel {
  const schedule = { ...oneByOne(given), split: 1, groupRows: 1 };
  const [accumulator] = pass.accumulators as readonly [Accumulator];
  const partial: k.Shared = {
    name: "partial",
    element: { type: "f32", lanes: 1 },
    length: schedule.rowLanes,
  };
  const names = { next: 0 };
  const combine = accumulator.combine === "max" ? k.maximum : k.plus;
  const start = k.f32(accumulator.start);
  const visit = (positions: readonly Value[]): readonly Statement[] => {
    const entry = positions[0]!;
    const at = { j: 0, lanes: 1, entry } as const;
    const { statements, value } = valueAt(pass, accumulator.entry, at, paramValue, names);
    return [
      ...openEntry(pass, 0, 1, (model) => row.loadOne(model, entry, schedule)),
      ...statements,
      k.assign(part, combine(part, value)),
    ];
  };
  const mine = k.load(partial, k.lane);
  const body: Statement[] = [
    k.varValue(total, start),
    ...overRow(schedule, {
      open: [k.varValue(part, start)],
      visit,
      close: [k.assign(total, combine(total, part))],
    }),
    k.assign(mine, total),
    k.barrier,
  ];
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = k.load(partial, k.plus(k.lane, k.u32(half)));
    body.push(
      k.when(k.infix(k.lane, "<", k.u32(half)), [k.assign(mine, combine(mine, other))]),
      k.barrier,
    );
  }
  const [left] = pass.left as readonly [BlockPass["left"][number]];
  body.push(
    k.when(k.infix(k.lane, "==", k.u32(0)), [
      k.assign(row.fieldAt(fieldIndex(left.field)), k.load(partial, k.u32(0))),
    ]),
  );
  return {
    name: pass.name,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      buffers.writes(buffers.rows),
      buffers.paramsBinding(paramVectors),
    ],
    workgroup: schedule.rowLanes,
    shared: [partial],
    body: [
      ...row.openRow(pass.models, schedule),
      ...openGiven(pass, fieldIndex),
      ...k.about(accumulator.holds, body),
    ],
    grid: "row",
  };
}
