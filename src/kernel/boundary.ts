// The vector that the end of a row shares with the rows after it. Writing one component of a vector may touch all of it,
// so two workgroups must not each write their part: the workgroup of the row in which the vector begins writes all of it,
// entry by entry, each by the coefficients of the row that it belongs to. Entries of rows that another dispatch
// writes, and what lies behind the last row, are left alone; the dispatches of a pass run one after another.

import type { BlockPass } from "../block/block.ts";
import type { ModelName } from "../core/inputs.ts";
import { noToken, otherDispatch } from "./kernel.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import { laneInRow } from "./lanes.ts";
import type { Statement, Value } from "./kernel.ts";
import { reportEntry } from "./range.ts";
import * as row from "./row.ts";
import { storeEntry, type Layout, type Rows } from "./storage.ts";
import { atLabel, openEntry, openGiven, writtenAt, writtenValue } from "./terms.ts";

/** The row that an entry of the vector belongs to, and where a model has it. */
const owner = k.variable("owner", "u32");
const startOf = k.family((model: ModelName) => k.variable(`start_${model}`, "u32"));
const u = (name: string): k.Variable => k.variable(name, "u32");
const [both, part, entry] = [u("both"), u("part"), u("entry")];
const written = k.variable("g");

export function sharedVector(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  paramValue: (name: string) => Value,
  layout: Layout,
  logits: (model: ModelName) => Rows,
  target: Rows,
): readonly Statement[] {
  if (layout.aligned) return [];
  const [of, ...others] = pass.models as [ModelName, ...ModelName[]];
  const four = k.u32(4);
  const end = k.plus(row.originOf(of), row.vocab);
  const position = k.plus(k.times(both, four), part);
  const first = k.times(owner, row.vocab);
  const value = [
    k.letValue(row.label, k.load(buffers.labels, row.token)),
    k.letValue(startOf(of), first),
    ...others.map((model) => k.letValue(startOf(model), row.originAt(model))),
    k.letValue(entry, k.minus(position, first)),
    ...openGiven(pass, fieldIndex),
    ...openEntry(pass, 0, 1, (model) =>
      row.loadOne(model, entry, layout, logits(model), startOf(model)),
    ),
    ...writtenValue(pass, { j: 0, lanes: 1, entry }, paramValue, { next: 0 }),
    k.assign(written, k.choose(k.infix(entry, "==", row.label), atLabel, writtenAt(0, 1))),
    reportEntry(written, target.dtype),
  ];
  return [
    k.when(
      k.infix(
        k.infix(k.plus(laneInRow(layout), row.part), "==", k.u32(0)),
        "&&",
        k.infix(k.infix(end, "%", four), "!=", k.u32(0)),
      ),
      [
        k.letValue(both, k.infix(end, "/", four)),
        k.loop(part, k.u32(0), four, k.u32(1), [
          k.letValue(owner, k.infix(position, "/", row.vocab)),
          k.when(k.infix(owner, "<", k.uniform("rows")), [
            k.letValue(row.token, row.tokenAt(of, owner)),
            k.when(k.infix(row.token, "!=", k.u32(otherDispatch)), [
              k.varValue(written, k.f32(0)),
              k.when(k.infix(row.token, "!=", k.u32(noToken)), value),
              ...storeEntry(target, k.u32(0), position, written),
            ]),
          ]),
        ]),
      ],
    ),
  ];
}
