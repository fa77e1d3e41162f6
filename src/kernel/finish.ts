// The end of a running pass, by one lane of the row: adds the label's entry to the sums over all the others,
// reports logits that are NaN or +Infinity and labels that are impossible, and writes the fields.

import type { BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { weightedAbsence } from "./absent.ts";
import { leavesOf, lowered } from "./entries.ts";
import * as k from "./kernel.ts";
import type { Statement, Value, Variable } from "./kernel.ts";
import * as row from "./row.ts";
import { keptOf, pointOf, shiftOf, topOf, worstOf } from "./state.ts";
import { logitWord, report } from "./status.ts";
import type { Layout } from "./storage.ts";

const family = (prefix: string, type: k.Scalar = "f32"): ((model: ModelName) => Variable) =>
  k.family((model: ModelName) => k.variable(`${prefix}_${model}`, type));
const [labelBits, labelEntry] = [family("label_bits", "u32"), family("z_label")];
const [labelOffset, labelExponential] = [family("x_label"), family("e_label")];

/** Adds the label's entry, reports bad logits, and writes the fields. */
export function finish(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  layout: Layout,
): readonly Statement[] {
  const leaves = leavesOf(
    new Map<Node, Value>([
      ...pass.accumulators.map((one) => [one.holds, keptOf(one)] as const),
      ...pass.models.flatMap((model) => [
        [meaning.maximumOf(model), topOf(model)] as const,
        [meaning.shiftOf(model), shiftOf(model)] as const,
        [meaning.labelOf(model), labelEntry(model)] as const,
        [meaning.labelCentred(model), labelOffset(model)] as const,
        [meaning.labelExponential(model), labelExponential(model)] as const,
      ]),
    ]),
  );
  return [
    ...pass.models.flatMap((model) => addLabel(model, layout)),
    ...pass.left.flatMap(({ field, source, value }) =>
      k.about(source, [k.assign(row.fieldAt(fieldIndex(field)), lowered(value, leaves))]),
    ),
  ];
}

/** Moves the point of a model to its maximum, the label's entry included, and reports what is wrong with its logits. */
function addLabel(model: ModelName, layout: Layout): readonly Statement[] {
  const [raw, z, top] = [labelBits(model), labelEntry(model), topOf(model)];
  const worst = worstOf(model);
  const isWeighted = k.infix(worst, "==", weightedAbsence);
  const isBad = k.infix(
    k.infix(worst, ">=", row.infinityBits),
    "&&",
    k.infix(worst, "!=", weightedAbsence),
  );
  const tell = (fault: Parameters<typeof logitWord>[2]): Statement =>
    report(logitWord(layout, model, fault));
  return k.about(meaning.labelOf(model), [
    k.letValue(raw, row.loadOne(model, row.label, layout)),
    k.letValue(z, row.finite(raw)),
    k.letValue(top, k.maximum(pointOf(model), z)),
    k.when(k.infix(isBad, "||", k.infix(top, ">=", k.f32(row.reach))), [tell("not-finite")]),
    k.when(isWeighted, [tell("masked-entry-weighted")]),
    k.when(k.infix(z, "<=", k.f32(-row.reach)), [tell("label-impossible")]),
    k.letValue(shiftOf(model), k.minus(pointOf(model), top)),
    k.letValue(labelOffset(model), k.minus(z, top)),
    k.letValue(labelExponential(model), k.exp(labelOffset(model))),
  ]);
}
