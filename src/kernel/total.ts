// A later pass: Σ_v or max_v of an expression that no running pass can make, because it needs results of an
// earlier one. It reads the logits once more; explanations name the term that forced it.

import { fieldKey } from "../stream/fields.ts";
import type { TotalPass } from "../stream/stages.ts";
import { atEntry } from "./entry.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { slotOf } from "./meaning.ts";
import * as row from "./row.ts";
import { oneByOne } from "../schedule/schedule.ts";
import { overRow } from "./span.ts";
import type { Layout } from "./storage.ts";

const { name } = row;

export function totalKernel(
  pass: TotalPass,
  fieldIndex: (field: string) => number,
  paramValue: (name: string) => Value,
  paramVectors: number,
  given: Layout,
): Kernel {
  const schedule = { ...oneByOne(given), split: 1 };
  const partial: k.Shared = {
    name: "partial",
    element: { type: "f32", lanes: 1 },
    length: schedule.rowLanes,
  };
  const names = { next: 0 };
  const combine = (a: Value, b: Value): Value =>
    pass.op === "max" ? k.maximum(a, b) : k.plus(a, b);
  const identity = pass.op === "max" ? k.f32(-3e38) : k.f32(0);
  const visit = (positions: readonly Value[]): readonly Statement[] => {
    const at = positions[0]!;
    const loads = pass.models.map((model) =>
      k.letValue(name(`z_${model}`), row.finite(row.loadOne(model, at, schedule))),
    );
    const { statements, values } = atEntry(
      [pass.body],
      {
        logit: (model) => name(`z_${model}`),
        slot: (position) => name(`slot_${position}`),
        param: paramValue,
        entry: at,
        label: row.label,
      },
      names,
    );
    return [...loads, ...statements, k.assign(name("part"), combine(name("part"), values[0]!))];
  };
  const opened = [
    ...row.openRow(pass.models, schedule),
    ...pass.slots.flatMap((slot, position) =>
      k.about(slotOf(slot), [k.letValue(name(`slot_${position}`), row.fieldAt(fieldIndex(slot)))]),
    ),
  ];
  const body: Statement[] = [
    k.varValue(name("total"), identity),
    ...overRow(schedule, {
      open: [k.varValue(name("part"), identity)],
      visit,
      close: [k.assign(name("total"), combine(name("total"), name("part")))],
    }),
    k.assign(k.load(partial, k.lane), name("total")),
    k.barrier,
  ];
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = k.load(partial, k.plus(k.lane, k.u32(half)));
    body.push(
      k.when(k.infix(k.lane, "<", k.u32(half)), [
        k.assign(k.load(partial, k.lane), combine(k.load(partial, k.lane), other)),
      ]),
      k.barrier,
    );
  }
  const target = row.fieldAt(fieldIndex(fieldKey({ kind: "total", index: pass.index })));
  body.push(k.when(k.infix(k.lane, "==", k.u32(0)), [k.assign(target, k.load(partial, k.u32(0)))]));
  return {
    name: `reduce ${pass.models.join(" and ")} logits again`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      buffers.writes(buffers.rows),
      buffers.paramsBinding(paramVectors),
    ],
    workgroup: schedule.rowLanes,
    shared: [partial],
    body: [...opened, ...k.about(pass.sources[0]!, body)],
    grid: "row",
  };
}
