// The vector that the end of a row shares with the rows after it. Writing one component of a vector may touch all of it,
// so two workgroups must not each write their part: the workgroup of the row in which the vector begins writes all of it,
// entry by entry, each by the coefficients of the row that it belongs to. Entries of rows that another dispatch
// writes, and what lies behind the last row, are left alone; the dispatches of a pass run one after another.

import type { ModelName } from "../core/inputs.ts";
import { noToken, otherDispatch } from "./kernel.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { GradientPass } from "../stream/stages.ts";
import type { Statement, Value, Variable } from "./kernel.ts";
import { reportEntry } from "./range.ts";
import * as row from "./row.ts";
import { storeEntry, type Layout, type Rows } from "./storage.ts";
import { gradientAt, openEntry, openTerms } from "./terms.ts";

const { name } = row;
/** The row that an entry of the vector belongs to, and where a model has it. */
const owner = k.variable("owner", "u32");
const startOf = k.family((model: ModelName) => k.variable(`start_${model}`, "u32"));
const u = (text: string): Variable => name(text, "u32");

export function sharedVector(
  pass: GradientPass,
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
  const position = k.plus(k.times(u("both"), four), u("part"));
  const first = k.times(owner, row.vocab);
  const value = [
    k.letValue(row.label, k.load(buffers.labels, row.token)),
    k.letValue(startOf(of), first),
    ...others.map((model) => k.letValue(startOf(model), row.originAt(model))),
    k.letValue(u("entry"), k.minus(position, first)),
    ...openTerms(pass, fieldIndex),
    ...openEntry(pass, 0, 1, (model) =>
      row.loadOne(model, u("entry"), layout, logits(model), startOf(model)),
    ),
    ...gradientAt(pass, 0, 1, u("entry"), paramValue, { next: 0 }),
    k.assign(
      name("g"),
      k.choose(k.infix(u("entry"), "==", row.label), name("at_label"), name("g_0")),
    ),
    reportEntry(name("g"), target.dtype),
  ];
  return [
    k.when(
      k.infix(
        k.infix(k.plus(k.lane, row.part), "==", k.u32(0)),
        "&&",
        k.infix(k.infix(end, "%", four), "!=", k.u32(0)),
      ),
      [
        k.letValue(u("both"), k.infix(end, "/", four)),
        k.loop(u("part"), k.u32(0), four, k.u32(1), [
          k.letValue(owner, k.infix(position, "/", row.vocab)),
          k.when(k.infix(owner, "<", k.uniform("rows")), [
            k.letValue(row.token, row.tokenAt(of, owner)),
            k.when(k.infix(row.token, "!=", k.u32(otherDispatch)), [
              k.varValue(name("g"), k.f32(0)),
              k.when(k.infix(row.token, "!=", k.u32(noToken)), value),
              ...storeEntry(target, k.u32(0), position, name("g")),
            ]),
          ]),
        ]),
      ],
    ),
  ];
}
