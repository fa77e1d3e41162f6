// The end of a running pass, by one lane of the row: adds the label's entry to the sums over all the others,
// reports logits that are NaN or +Infinity and labels that are impossible, and writes the fields.

import type { ModelName } from "../core/inputs.ts";
import { fieldKey, modelsOf, type FieldOfPass, type ModelPower } from "../stream/fields.ts";
import type { OnlinePass } from "../stream/stages.ts";
import * as k from "./kernel.ts";
import type { Statement, Value } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { weightedAbsence } from "./absent.ts";
import { factor, momentKey, shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import { logitWord, report } from "./status.ts";
import type { Layout } from "./storage.ts";

const { name } = row;
const zero = k.f32(0);

/** Adds the label's entry, reports bad logits, and writes the fields. */
export function finish(
  pass: OnlinePass,
  moments: readonly Moment[],
  fieldIndex: (field: string) => number,
  schedule: Layout,
): readonly Statement[] {
  const out: Statement[] = [];
  for (const model of pass.models) {
    const raw = name(`label_bits_${model}`, "u32");
    const [z, top] = [name(`z_label_${model}`), name(`top_${model}`)];
    const worst = name(`worst_${model}`, "u32");
    const isWeighted = k.infix(worst, "==", weightedAbsence);
    const isBad = k.infix(
      k.infix(worst, ">=", row.infinityBits),
      "&&",
      k.infix(worst, "!=", weightedAbsence),
    );
    out.push(
      ...k.about(meaning.labelOf(model), [
        k.letValue(raw, row.loadOne(model, row.label, schedule)),
        k.letValue(z, row.finite(raw)),
        k.letValue(top, k.maximum(name(`m_${model}`), z)),
        k.when(k.infix(isBad, "||", k.infix(top, ">=", k.f32(row.reach))), [
          report(logitWord(schedule, model, "not-finite")),
        ]),
        k.when(isWeighted, [report(logitWord(schedule, model, "masked-entry-weighted"))]),
        k.when(k.infix(z, "<=", k.f32(-row.reach)), [
          report(logitWord(schedule, model, "label-impossible")),
        ]),
        k.letValue(name(`shift_${model}`), k.minus(name(`m_${model}`), top)),
        k.letValue(name(`x_label_${model}`), k.minus(z, top)),
        k.letValue(name(`e_label_${model}`), k.exp(name(`x_label_${model}`))),
      ]),
    );
  }
  const others = (powers: readonly ModelPower[]): Value => {
    const moment = moments.find((candidate) => momentKey(candidate.powers) === momentKey(powers))!;
    return shiftMoment(
      moment,
      (lower) => name(lower.name),
      (model) => name(`shift_${model}`),
      1,
      moments,
    );
  };
  for (const spec of pass.fields) {
    const target = row.fieldAt(fieldIndex(fieldKey(spec)));
    out.push(...k.about(meaning.fieldOf(spec), [k.assign(target, fieldValue(spec, others))]));
  }
  return out;
}

function fieldValue(spec: FieldOfPass, others: (powers: readonly ModelPower[]) => Value): Value {
  const [model] = modelsOf(spec) as readonly [ModelName];
  const x = (of: ModelName): Value => name(`x_label_${of}`);
  const e = (of: ModelName): Value => name(`e_label_${of}`);
  switch (spec.kind) {
    case "maximum":
      return name(`top_${model}`);
    case "label":
      return name(`z_label_${model}`);
    case "excess": {
      const power = { model, d: spec.d, k: 0 };
      // when the label is the maximum its 1 is left out, otherwise the 1 of the maximum is taken away
      const rest = others([power]);
      const isTop = k.infix(x(model), "==", zero);
      return k.choose(
        isTop,
        rest,
        k.plus(k.minus(rest, k.f32(1)), factor(power, x(model), e(model))),
      );
    }
    case "moment":
      return k.plus(
        others(spec.powers),
        spec.powers.map((power) => factor(power, x(power.model), e(power.model))).reduce(k.times),
      );
    case "ties": {
      const isTop = k.choose(k.infix(x(model), "==", zero), k.f32(1), zero);
      const kept = k.choose(
        k.infix(name(`shift_${model}`), "==", zero),
        name(`ties_${model}`),
        zero,
      );
      return k.plus(kept, isTop);
    }
  }
}
