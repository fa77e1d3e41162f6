// A later pass: Σ_v or max_v of an expression that no running pass can make, because it needs results of an
// earlier one. It reads the logits once more; explanations name the term that forced it.

import { fieldKey } from "../stream/fields.ts";
import type { TotalPass } from "../stream/stages.ts";
import { atEntry } from "./entry.ts";
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
  const names = { next: 0 };
  const combine = (a: Value, b: Value): Value =>
    pass.op === "max" ? k.maximum(a, b) : k.plus(a, b);
  const identity = pass.op === "max" ? k.f32(-3e38) : k.f32(0);
  const visit = (positions: readonly Value[]): readonly Statement[] => {
    const at = positions[0]!;
    const loads = pass.models.map((model) =>
      k.letValue(`z_${model}`, row.finite(row.loadOne(model, at, schedule))),
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
    return [...loads, ...statements, k.assign("part", combine(name("part"), values[0]!))];
  };
  const opened = [
    ...row.openRow(pass.models, schedule),
    ...pass.slots.flatMap((slot, position) =>
      k.about(slotOf(slot), [
        k.letValue(`slot_${position}`, k.load("rows", row.fieldAt(fieldIndex(slot)), "f32")),
      ]),
    ),
  ];
  const body: Statement[] = [
    k.varValue("total", identity),
    ...overRow(schedule, {
      open: [k.varValue("part", identity)],
      visit,
      close: [k.assign("total", combine(name("total"), name("part")))],
    }),
    k.assign("partial[lane]", name("total")),
    k.barrier,
  ];
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = k.load("partial", k.plus(row.lane, k.u32(half)), "f32");
    body.push(
      k.when(k.infix(row.lane, "<", k.u32(half)), [
        k.assign("partial[lane]", combine(k.load("partial", row.lane, "f32"), other)),
      ]),
      k.barrier,
    );
  }
  const target = `rows[${row.fieldAt(fieldIndex(fieldKey({ kind: "total", index: pass.index }))).code}]`;
  body.push(
    k.when(k.infix(row.lane, "==", k.u32(0)), [
      k.assign(target, k.load("partial", k.u32(0), "f32")),
    ]),
  );
  return {
    name: `reduce ${pass.models.join(" and ")} logits again`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
      {
        name: "params",
        role: { kind: "params" },
        access: "uniform",
        type: `array<vec4<f32>, ${paramVectors}>`,
      },
    ],
    workgroup: schedule.rowLanes,
    shared: [{ name: "partial", type: "f32", length: schedule.rowLanes }],
    body: [...opened, ...k.about(pass.sources[0]!, body)],
    grid: "row",
  };
}
