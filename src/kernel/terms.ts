// The gradient at some entries of a row: Σ_terms c · Π e^{d·x} x^k · factors, one exponential per entry and model.
// The loop over the row evaluates it for vectors, boundary.ts for single entries.

import type { ModelName } from "../core/inputs.ts";
import { fieldKey } from "../stream/fields.ts";
import { entryOf } from "../stream/skeleton.ts";
import type { GradientPass, GradientTerm } from "../stream/stages.ts";
import { atEntry } from "./entry.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { factor } from "./moment.ts";
import * as row from "./row.ts";

const { name } = row;

const usesX = (term: GradientTerm, model: ModelName): boolean =>
  term.maximal.includes(model) ||
  term.powers.some((power) => power.model === model && (power.d !== 0 || power.k !== 0));

/** Models whose logits enter by their distance from the maximum of the row. */
const shifted = (pass: GradientPass): readonly ModelName[] =>
  pass.models.filter((model) => pass.terms.some((term) => usesX(term, model)));

/** What the gradient of a row needs of its token: maxima, coefficients, slots, and the label's entry. */
export function openTerms(
  pass: GradientPass,
  fieldIndex: (field: string) => number,
): readonly Statement[] {
  const read = (field: string): Value => row.fieldAt(fieldIndex(field));
  const kept = (variable: string, field: string): readonly Statement[] =>
    k.about(meaning.slotOf(field), [k.letValue(name(variable), read(field))]);
  return [
    ...shifted(pass).flatMap((model) =>
      k.about(meaning.maximumOf(model), [
        k.letValue(name(`m_${model}`), read(fieldKey({ kind: "maximum", model }))),
      ]),
    ),
    ...pass.terms.flatMap(({ slot }, position) => kept(`c_${position}`, slot)),
    ...pass.opaqueSlots.flatMap((slot, position) => kept(`slot_${position}`, slot)),
    ...kept("at_label", pass.atLabel),
  ];
}

/** Loads the logits of a position and takes their exponentials; `bits` are those of one model. */
export function openEntry(
  pass: GradientPass,
  j: number,
  lanes: Lanes,
  bits: (model: ModelName) => Value,
): readonly Statement[] {
  return pass.models.flatMap((model): readonly Statement[] => {
    const z = name(`z_${model}_${j}`, "f32", lanes);
    const loaded = k.about(entryOf(model), [k.letValue(z, row.finite(bits(model)))]);
    if (!shifted(pass).includes(model)) return loaded;
    const x = name(`x_${model}_${j}`, "f32", lanes);
    const distance = k.letValue(x, k.minus(z, k.splat(name(`m_${model}`), lanes)));
    const hasExp = pass.terms.some(({ powers }) =>
      powers.some((power) => power.model === model && power.d > 0),
    );
    return [
      ...loaded,
      ...k.about(meaning.centred(model), [distance]),
      ...(hasExp
        ? k.about(meaning.exponential(model), [
            k.letValue(name(`e_${model}_${j}`, "f32", lanes), k.exp(x)),
          ])
        : []),
    ];
  });
}

/** Leaves the gradient of a position in `g_j`; `entry` is the number of a single entry, for terms outside the normal form. */
export function gradientAt(
  pass: GradientPass,
  j: number,
  lanes: Lanes,
  entry: Value,
  paramValue: (name: string) => Value,
  names: { next: number },
): readonly Statement[] {
  const opaque = atEntry(
    pass.terms.flatMap((term) => term.opaque),
    {
      logit: (model) => name(`z_${model}_${j}`),
      slot: (position) => name(`slot_${position}`),
      param: paramValue,
      entry,
      label: row.label,
    },
    names,
  );
  const x = (model: ModelName): Value => name(`x_${model}_${j}`, "f32", lanes);
  const e = (model: ModelName): Value => name(`e_${model}_${j}`, "f32", lanes);
  let next = 0;
  const terms = pass.terms.map((term, position): Value => {
    const factors: Value[] = [k.splat(name(`c_${position}`), lanes)];
    for (const power of term.powers) {
      if (power.d !== 0 || power.k !== 0)
        factors.push(factor(power, x(power.model), e(power.model)));
    }
    for (const model of term.maximal) {
      const isTop = k.infix(x(model), "==", k.splat(k.f32(0), lanes));
      factors.push(k.choose(isTop, k.splat(k.f32(1), lanes), k.splat(k.f32(0), lanes)));
    }
    for (const _ of term.opaque) factors.push(opaque.values[next++]!);
    const product = factors.reduce(k.times);
    if (term.opaque.length === 0) return product;
    // a response without this term has coefficient 0, and its slots may be outside the term's domain
    return k.choose(k.infix(name(`c_${position}`), "==", k.f32(0)), k.f32(0), product);
  });
  const sum = terms.length === 0 ? k.f32(0) : terms.reduce(k.plus);
  const total = k.letValue(name(`g_${j}`, "f32", lanes), k.splat(sum, lanes));
  return [...opaque.statements, ...k.about(meaning.gradientOf(pass.terms), [total])];
}
