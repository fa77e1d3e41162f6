// Stacks the gradients of all responses of a model into one pass: terms of one shape share a slot, a response that
// lacks a term has coefficient 0, and what fills the slots becomes outputs of the last row program.

import { constant } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { logitsOfInput, type ModelPower } from "./fields.ts";
import type { Term } from "./form.ts";
import { scaleOf } from "./settle.ts";
import { skeletonOf } from "./skeleton.ts";
import type { GradientPass, GradientTerm, LogitsGradient, RowField, RowOutput } from "./stages.ts";

/** A term being stacked: its fields, and what each response puts into them. */
interface Stacked extends GradientTerm {
  readonly opaqueFields: readonly RowField[];
  readonly fills: Map<string, { readonly coefficient: Node; readonly slots: readonly Node[] }>;
}

/**
 * A pass for each model and each set of further models that its responses' gradients read, so that no response is made
 * to read more than it needs; appends to `outputs` what the row program must compute for them.
 */
export function gradientPasses(
  gradients: readonly LogitsGradient[],
  outputs: RowOutput[],
): readonly GradientPass[] {
  const groups = new Map<string, LogitsGradient[]>();
  for (const gradient of gradients) {
    const key = [gradient.model, ...partners(gradient)].join("+");
    groups.set(key, [...(groups.get(key) ?? []), gradient]);
  }
  return [...groups].map(([key, own]) => stack(key, own, outputs));
}

/** The other models whose logits the gradient of one input reads. */
function partners({ model, form }: LogitsGradient): readonly ModelName[] {
  const read = form.terms.flatMap((term) => [
    ...[...term.powers.keys()].map((z) => logitsOfInput(z)!.model),
    ...term.atoms.flatMap((atom) => {
      if (atom.kind === "label") return [];
      return atom.kind === "maximum"
        ? [logitsOfInput(atom.of)!.model]
        : skeletonOf(atom.node).models;
    }),
  ]);
  return [...new Set(read)].filter((other) => other !== model).toSorted();
}

function stack(
  name: string,
  gradients: readonly LogitsGradient[],
  outputs: RowOutput[],
): GradientPass {
  const of = gradients[0]!.model;
  const terms = new Map<string, Stacked>();
  const opaqueSlots: RowField[] = [];
  for (const { response, form } of gradients) {
    // a response may have several terms of one shape, each with slots of its own
    const seen = new Map<string, number>();
    for (const term of form.terms) {
      if (term.atoms.some((atom) => atom.kind === "label")) continue;
      const shape = shapeOf(term);
      const occurrence = seen.get(shape.key) ?? 0;
      seen.set(shape.key, occurrence + 1);
      const key = `${shape.key}#${occurrence}`;
      const known = terms.get(key) ?? newTerm(name, term, shape, terms.size, opaqueSlots);
      const coefficient = scaleOf(term.coefficient, term.exponent);
      known.fills.set(response, { coefficient, slots: shape.slots });
      terms.set(key, known);
    }
  }
  const responses = gradients.map(({ response }) => response);
  const atLabel = `gradient[${name}].label`;
  for (const { response, form } of gradients) {
    outputs.push({ field: atLabel, response, node: form.atLabel });
    for (const { slot, fills, opaqueFields } of terms.values()) {
      const fill = fills.get(response);
      outputs.push({ field: slot, response, node: fill?.coefficient ?? constant(0) });
      opaqueFields.forEach((field, position) => {
        outputs.push({ field, response, node: fill?.slots[position] ?? constant(0) });
      });
    }
  }
  const list = [...terms.values()].map(({ slot, powers, maximal, opaque }) => ({
    slot,
    powers,
    maximal,
    opaque,
  }));
  return {
    kind: "gradient",
    of,
    models: [of, ...partners(gradients[0]!)],
    responses,
    terms: list,
    atLabel,
    opaqueSlots,
  };
}

interface Shape {
  readonly key: string;
  readonly powers: readonly ModelPower[];
  readonly maximal: readonly ModelName[];
  readonly slots: readonly Node[];
}

/** What a term is apart from the response: terms of one shape run in one loop. */
function shapeOf(term: Term): Shape {
  const powers = [...term.powers]
    .map(([z, power]) => ({ model: logitsOfInput(z)!.model, ...power }))
    .toSorted((a, b) => (a.model < b.model ? -1 : 1));
  const maximal = term.atoms.flatMap((atom) =>
    atom.kind === "maximum" ? [logitsOfInput(atom.of)!.model] : [],
  );
  const skeletons = opaqueNodes(term).map((node) => skeletonOf(node));
  const key = JSON.stringify([powers, maximal, skeletons.map(({ body }) => body.id)]);
  return { key, powers, maximal, slots: skeletons.flatMap(({ slots }) => slots) };
}

function newTerm(
  name: string,
  term: Term,
  { powers, maximal, slots }: Shape,
  position: number,
  opaqueSlots: RowField[],
): Stacked {
  const first = opaqueSlots.length;
  const opaqueFields = slots.map((_, index) => `gradient[${name}].slot[${first + index}]`);
  let next = first;
  const opaque = opaqueNodes(term).map((node) => {
    const skeleton = skeletonOf(node, next);
    next += skeleton.slots.length;
    return skeleton.body;
  });
  opaqueSlots.push(...opaqueFields);
  const slot = `gradient[${name}].term[${position}]`;
  return { slot, powers, maximal, opaque, opaqueFields, fills: new Map() };
}

const opaqueNodes = (term: Term): readonly Node[] =>
  term.atoms.flatMap((atom) => (atom.kind === "opaque" ? [atom.node] : []));
