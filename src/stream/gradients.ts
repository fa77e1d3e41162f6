// Stacks the gradients of all responses of a model into one pass: terms of one shape share a slot, a response that
// lacks a term has coefficient 0, and what fills the slots becomes outputs of the last row program.

import { constant } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
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

/** One pass for each model; appends to `outputs` what the row program must compute for it. */
export function gradientPasses(
  gradients: readonly LogitsGradient[],
  outputs: RowOutput[],
): readonly GradientPass[] {
  const models = [...new Set(gradients.map(({ model }) => model))];
  return models.map((of) =>
    stack(
      of,
      gradients.filter(({ model }) => model === of),
      outputs,
    ),
  );
}

function stack(
  of: ModelName,
  gradients: readonly LogitsGradient[],
  outputs: RowOutput[],
): GradientPass {
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
      const known = terms.get(key) ?? newTerm(of, term, shape, terms.size, opaqueSlots);
      const coefficient = scaleOf(term.coefficient, term.exponent);
      known.fills.set(response, { coefficient, slots: shape.slots });
      terms.set(key, known);
    }
  }
  const responses = gradients.map(({ response }) => response);
  const atLabel = `gradient[${of}].label`;
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
  const others = new Set(list.flatMap(modelsRead));
  others.delete(of);
  return {
    kind: "gradient",
    of,
    models: [of, ...others],
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
  of: ModelName,
  term: Term,
  { powers, maximal, slots }: Shape,
  position: number,
  opaqueSlots: RowField[],
): Stacked {
  const first = opaqueSlots.length;
  const opaqueFields = slots.map((_, index) => `gradient[${of}].slot[${first + index}]`);
  let next = first;
  const opaque = opaqueNodes(term).map((node) => {
    const skeleton = skeletonOf(node, next);
    next += skeleton.slots.length;
    return skeleton.body;
  });
  opaqueSlots.push(...opaqueFields);
  const slot = `gradient[${of}].term[${position}]`;
  return { slot, powers, maximal, opaque, opaqueFields, fills: new Map() };
}

const opaqueNodes = (term: Term): readonly Node[] =>
  term.atoms.flatMap((atom) => (atom.kind === "opaque" ? [atom.node] : []));

function modelsRead({ powers, maximal, opaque }: GradientTerm): readonly ModelName[] {
  const inOpaque = topological(opaque).flatMap((part) =>
    part.tag === "input" && part.name.startsWith("z.") ? [part.name.slice(2) as ModelName] : [],
  );
  return [...powers.map(({ model }) => model), ...maximal, ...inOpaque];
}
