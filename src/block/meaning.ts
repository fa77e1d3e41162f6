// What the values of a pass over logits stand for, as core expressions over the row of logits `z.MODEL`: the leaves of the
// expressions of a pass, and what the statements of a kernel compute, so that a complaint about a line of a shader can name
// it. In a row program that is the node itself; a pass computes sums of the normal form, which are written out here.

import { at, binary, constant, input, reduce, unary } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { FieldOfPass, ModelPower } from "../stream/fields.ts";
import { entryOf, labelInput } from "../stream/skeleton.ts";
import type { GradientTerm } from "../stream/stages.ts";

type OfModel = (model: ModelName) => Node;
/** Every line of a kernel asks for such a node, so each is built once. */
function once(make: OfModel): OfModel {
  const made = new Map<ModelName, Node>();
  return (model) => {
    const known = made.get(model) ?? make(model);
    made.set(model, known);
    return known;
  };
}

/** max_v z */
export const maximumOf: OfModel = once((model) => reduce("max", "vocab", entryOf(model)));
/** x = z − max z */
export const centred: OfModel = once((model) => binary("minus", entryOf(model), maximumOf(model)));
/** e^x */
export const exponential: OfModel = once((model) => unary("exp", centred(model)));
/** z_y */
export const labelOf: OfModel = once((model) => at(entryOf(model), "vocab", labelInput));
const isMaximal = (model: ModelName): Node => binary("eq", entryOf(model), maximumOf(model));

const scaled = (d: number, x: Node): Node => (d === 1 ? x : binary("times", constant(d), x));
const product = (factors: readonly Node[]): Node =>
  factors.length === 0 ? constant(1) : factors.reduce((a, b) => binary("times", a, b));

/** Π e^{d·x} x^k */
const powersOf = (powers: readonly ModelPower[]): readonly Node[] =>
  powers.flatMap(({ model, d, k }) => {
    const x = centred(model);
    return [
      ...(d === 0 ? [] : [unary("exp", scaled(d, x))]),
      ...Array.from({ length: k }, () => x),
    ];
  });

/** Σ_v Π e^{d·x} x^k */
export const momentOf = (powers: readonly ModelPower[]): Node =>
  reduce("sum", "vocab", product(powersOf(powers)));

/** δ, by which the point of a model was moved: the old one minus the new one. */
export const shiftOf: OfModel = once((model) =>
  input({ kind: "named", name: `shift.${model}` }, []),
);

/** x and e^x of the label's entry. */
export const labelCentred: OfModel = once((model) =>
  binary("minus", labelOf(model), maximumOf(model)),
);
export const labelExponential: OfModel = once((model) => unary("exp", labelCentred(model)));

/** #{v : z = max z} */
export const tiesOf = (model: ModelName): Node =>
  reduce("sum", "vocab", unary("toReal", isMaximal(model)));

/** What a running pass leaves in a field. */
export function fieldOf(spec: FieldOfPass): Node {
  switch (spec.kind) {
    case "maximum":
      return maximumOf(spec.model);
    case "label":
      return labelOf(spec.model);
    case "excess":
      return binary("minus", momentOf([{ model: spec.model, d: spec.d, k: 0 }]), constant(1));
    case "moment":
      return momentOf(spec.powers);
    case "ties":
      return tiesOf(spec.model);
  }
}

/** A value that a row program left for a pass: a coefficient of a term, or the gradient at the label. */
export const slotOf = (field: string): Node => input(field, []);

/** The gradient at an entry: Σ_terms c · Π e^{d·x} x^k · factors. */
export function gradientOf(terms: readonly GradientTerm[]): Node {
  const sum = terms.map(({ slot, powers, maximal, opaque }) =>
    product([
      slotOf(slot),
      ...powersOf(powers),
      ...maximal.map((model) => unary("toReal", isMaximal(model))),
      ...opaque,
    ]),
  );
  return sum.length === 0 ? constant(0) : sum.reduce((a, b) => binary("plus", a, b));
}
