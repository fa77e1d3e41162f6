// Passes of the stage level as passes over blocks: what is added up, how it is combined, and what is left or written.

import { constant } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { nodes } from "../core/smart.ts";
import { fieldKey, type FieldOfPass, type ModelPower } from "../stream/fields.ts";
import { slotInput } from "../stream/skeleton.ts";
import type { GradientPass, GradientTerm, OnlinePass, TotalPass } from "../stream/stages.ts";
import type { Accumulator, BlockPass, Given, Left, Weighted } from "./block.ts";
import {
  centred,
  fieldOf,
  gradientOf,
  labelCentred,
  labelExponential,
  labelOf,
  maximumOf,
  slotOf,
} from "./meaning.ts";
import { countOf, entryFactor, factor, moved, momentKey, momentsOf } from "./moments.ts";

const { times, plus, minus, select, eq, ne } = nodes;
const [zero, one] = [constant(0), constant(1)];
/** Below every number that a pass adds up. */
const lowest = -3e38;

/** The running pass: one read of a row leaves every field that the algebra asked for. */
export function onlineBlock(pass: OnlinePass): BlockPass {
  const moments = momentsOf(pass.fields);
  const ties = pass.fields.flatMap((spec) => (spec.kind === "ties" ? [countOf(spec.model)] : []));
  const powers = moments.flatMap(({ shape }) => (shape.kind === "moment" ? [shape.powers] : []));
  const most = Math.max(1, ...powers.flat().map(({ d }) => d));
  return {
    name: `read ${pass.models.join(" and ")} logits`,
    models: pass.models,
    given: [],
    points: pass.models.map((model) => ({
      model,
      is: pass.exact.includes(model) ? "maximum" : "near",
      // e^{d·slack} stays far from the largest number
      slack: pass.exact.includes(model) ? 0 : Math.min(4, 16 / most),
    })),
    isLabelApart: true,
    accumulators: [...moments, ...ties],
    weighted: powers.flatMap(weightedIn),
    left: pass.fields.map((spec): Left => {
      const value = fieldValue(spec, moments, ties);
      return { field: fieldKey(spec), source: fieldOf(spec), value };
    }),
    write: null,
    opaque: [],
  };
}

/** −∞ times a probability is −∞, but sums hold a large number instead; what multiplies it must therefore be 0. */
const weightedIn = (powers: readonly ModelPower[]): readonly Weighted[] =>
  powers.flatMap(({ model, d, k }) =>
    d !== 0 || k === 0
      ? []
      : [
          {
            model,
            others: powers
              .filter((power) => power.model !== model)
              .map((power) => ne(entryFactor(power), zero)),
          },
        ],
  );

function fieldValue(
  spec: FieldOfPass,
  moments: readonly Accumulator[],
  ties: readonly Accumulator[],
): Node {
  const atMaximum = (accumulator: Accumulator): Node => moved(accumulator, () => true, moments);
  const others = (powers: readonly ModelPower[]): Node =>
    atMaximum(
      moments.find(
        ({ shape }) => shape.kind === "moment" && momentKey(shape.powers) === momentKey(powers),
      )!,
    );
  const own = (power: ModelPower): Node =>
    factor(power, labelCentred(power.model), labelExponential(power.model));
  switch (spec.kind) {
    case "maximum":
      return maximumOf(spec.model);
    case "label":
      return labelOf(spec.model);
    case "excess": {
      const power = { model: spec.model, d: spec.d, k: 0 };
      const rest = others([power]);
      // when the label is the maximum its 1 is left out, otherwise the 1 of the maximum is taken away
      return select(eq(labelCentred(spec.model), zero), rest, plus(minus(rest, one), own(power)));
    }
    case "moment":
      return plus(others(spec.powers), spec.powers.map(own).reduce(times));
    case "ties": {
      const count = ties.find(({ shape }) => shape.kind === "ties" && shape.model === spec.model)!;
      return plus(atMaximum(count), select(eq(labelCentred(spec.model), zero), one, zero));
    }
  }
}

/** A later pass: Σ_v or max_v of an expression that no running pass can make, because it needs results of an earlier one. */
export function totalBlock(pass: TotalPass): BlockPass {
  const [source] = pass.sources as readonly [Node];
  const accumulator: Accumulator = {
    name: "total",
    holds: source,
    start: pass.op === "max" ? lowest : 0,
    combine: pass.op,
    entry: pass.body,
    shape: { kind: "fixed" },
  };
  const field = fieldKey({ kind: "total", index: pass.index });
  return {
    name: `reduce ${pass.models.join(" and ")} logits again`,
    models: pass.models,
    given: slots(pass.slots),
    points: [],
    isLabelApart: false,
    accumulators: [accumulator],
    weighted: [],
    left: [{ field, source, value: source }],
    write: null,
    opaque: [pass.body],
  };
}
const slots = (fields: readonly string[]): readonly Given[] =>
  fields.map((field, position) => ({ leaf: slotInput(position), field }));

/** The last pass: reads a row again and writes its gradient, one exponential per entry. */
export function gradientBlock(pass: GradientPass, inPlace: boolean): BlockPass {
  const { terms, of, models } = pass;
  const source = gradientOf(terms);
  const isSeen = (model: ModelName): boolean =>
    terms.some(
      (term) =>
        term.maximal.includes(model) ||
        term.powers.some((power) => power.model === model && (power.d !== 0 || power.k !== 0)),
    );
  return {
    name: `write the gradient ${inPlace ? "over" : "of"} ${of} logits`,
    models,
    given: [
      ...terms.map(({ slot }) => ({ leaf: slotOf(slot), field: slot })),
      ...slots(pass.opaqueSlots),
    ],
    points: models.filter(isSeen).map((model) => ({
      model,
      is: { field: fieldKey({ kind: "maximum", model }) },
      slack: 0,
    })),
    isLabelApart: true,
    accumulators: [],
    weighted: [],
    left: [],
    write: {
      model: of,
      source,
      entry: terms.length === 0 ? zero : terms.map(termAt).reduce(plus),
      atLabel: pass.atLabel,
      // e^{d·x} x^k is at most about 1 where d > 0
      isBounded: terms.every(
        ({ opaque, powers }) => opaque.length === 0 && powers.every(({ d, k }) => d > 0 || k === 0),
      ),
    },
    opaque: terms.flatMap(({ opaque }) => opaque),
  };
}

function termAt({ slot, powers, maximal, opaque }: GradientTerm): Node {
  const product = [
    slotOf(slot),
    ...powers.filter(({ d, k }) => d !== 0 || k !== 0).map(entryFactor),
    ...maximal.map((model) => select(eq(centred(model), zero), one, zero)),
    ...opaque,
  ].reduce(times);
  // a response without this term has coefficient 0, and its slots may be outside the term's domain
  return opaque.length === 0 ? product : select(eq(slotOf(slot), zero), zero, product);
}
