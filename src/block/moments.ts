// Moments of a running pass and what moving their reference point does to them. With x = z − m and m moved
// to m' (shift δ = m − m' ≤ 0, so x' = x + δ), S[d,k] becomes e^{dδ} Σ_j C(k,j) δ^{k−j} S[d,j]: a group action
// in δ, which is why partial results may be combined in any order.

import { constant } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { nodes } from "../core/smart.ts";
import type { FieldSpec, ModelPower } from "../stream/fields.ts";
import { centred, exponential, momentOf, shiftOf, tiesOf } from "./meaning.ts";
import type { Accumulator, Shape } from "./block.ts";

const { times, plus, exp, maximum, select, eq } = nodes;
const product = (factors: readonly Node[]): Node => factors.reduce(times);
const one = constant(1);
const zero = constant(0);

export const momentKey = (powers: readonly ModelPower[]): string =>
  powers
    .filter(({ d, k: power }) => d !== 0 || power !== 0)
    .map(({ model, d, k: power }) => `${model}:${d},${power}`)
    .toSorted()
    .join(";");

/** Where single floats end, a number of this size and its k-th power are still finite. */
const boundFor = (k: number): Node => constant(-(10 ** Math.floor(30 / Math.max(k, 1))));

/** Beyond so many factors an exponential of its own is shorter, and no less accurate. */
const mostFactors = 16;

/** e^{d·x} x^k; a small whole d multiplies e^x by itself, and x is bounded so that 0 · x^k stays 0. */
export function factor({ d, k }: ModelPower, x: Node, e: Node): Node {
  const isWhole = Number.isInteger(d) && d <= mostFactors;
  const bounded = k > 1 ? maximum(x, boundFor(k)) : x;
  return product([
    ...(isWhole ? Array.from({ length: d }, () => e) : [exp(times(constant(d), x))]),
    ...Array.from({ length: k }, () => bounded),
  ]);
}
/** What an entry adds to a moment. */
export const entryFactor = (power: ModelPower): Node =>
  factor(power, centred(power.model), exponential(power.model));

/** The moment after the points of some models were moved, each by its shift δ, over the moments before. */
export function movedMoment(
  powers: readonly ModelPower[],
  isMoved: (model: ModelName) => boolean,
  family: readonly Accumulator[],
): Node {
  // Σ over all lower powers of the product of binomial factors
  let terms: readonly {
    readonly powers: readonly ModelPower[];
    readonly factors: readonly Node[];
  }[] = [{ powers: [], factors: [] }];
  for (const power of powers) {
    const shift = shiftOf(power.model);
    // an empty part has m = −1e29: its moments are 0, and 0 · δ^k must stay 0
    const delta = power.k > 1 ? maximum(shift, boundFor(power.k)) : shift;
    terms = terms.flatMap((term) => {
      if (!isMoved(power.model))
        return [{ powers: [...term.powers, power], factors: term.factors }];
      return Array.from({ length: power.k + 1 }, (_, lower) => {
        const binomial = choose(power.k, lower);
        const own = Array.from({ length: power.k - lower }, () => delta);
        const factors = [...term.factors, ...(binomial === 1 ? [] : [constant(binomial)]), ...own];
        return { powers: [...term.powers, { ...power, k: lower }], factors };
      });
    });
  }
  const sum = terms
    .map((term) => product([...term.factors, memberOf(family, term.powers).holds]))
    .reduce(plus);
  return powers
    .filter(({ model, d }) => isMoved(model) && d !== 0)
    .map(({ model, d }) => exp(d === 1 ? shiftOf(model) : times(constant(d), shiftOf(model))))
    .reduce(times, sum);
}

function memberOf(family: readonly Accumulator[], powers: readonly ModelPower[]): Accumulator {
  const key = momentKey(powers);
  const member = family.find(
    ({ shape }) => shape.kind === "moment" && momentKey(shape.powers) === key,
  );
  return (
    member ??
    fail(
      "moment-missing",
      `The moment ${key} that shifting needs is not kept; this is a bug of prefc, so please report it with the objective.`,
    )
  );
}

/** A result after the points of some models were moved. `certainly`: by more than nothing. */
export function moved(
  { holds, shape }: Pick<Accumulator, "holds" | "shape">,
  isMoved: (model: ModelName) => boolean,
  family: readonly Accumulator[],
  certainly: boolean = false,
): Node {
  switch (shape.kind) {
    case "moment":
      return movedMoment(shape.powers, isMoved, family);
    case "ties":
      if (!isMoved(shape.model)) return holds;
      return certainly ? zero : select(eq(shiftOf(shape.model), zero), holds, zero);
    case "fixed":
      return holds;
  }
}

/** The models whose points a result depends on. */
export function pointsOf(shape: Shape): readonly ModelName[] {
  switch (shape.kind) {
    case "moment":
      return shape.powers.map(({ model }) => model);
    case "ties":
      return [shape.model];
    case "fixed":
      return [];
  }
}
/** Results of a higher degree are moved first, because they mix in those of lower ones. */
export const degreeOf = (shape: Shape): number =>
  shape.kind === "moment" ? shape.powers.reduce((sum, { k }) => sum + k, 0) : -1;

function choose(n: number, j: number): number {
  let result = 1;
  for (let i = 0; i < j; i++) result = (result * (n - i)) / (i + 1);
  return result;
}

/** The moments that must be kept: those asked for, and the lower powers that shifting them mixes in. */
export function momentsOf(fields: readonly FieldSpec[]): readonly Accumulator[] {
  const wanted = new Map<string, Accumulator>();
  const add = (powers: readonly ModelPower[]): void => {
    const named = powers.filter(({ d, k: power }) => d !== 0 || power !== 0);
    const key = momentKey(named);
    if (named.length === 0 || wanted.has(key)) return;
    wanted.set(key, {
      name: `s${wanted.size}`,
      holds: momentOf(named),
      start: 0,
      combine: "sum",
      entry: product(named.map(entryFactor)),
      shape: { kind: "moment", powers: named },
    });
    named.forEach((power, position) => {
      if (power.k > 0)
        add(named.map((other, i) => (i === position ? { ...other, k: other.k - 1 } : other)));
    });
  };
  for (const spec of fields) {
    if (spec.kind === "excess") add([{ model: spec.model, d: spec.d, k: 0 }]);
    if (spec.kind === "moment") add(spec.powers);
  }
  return [...wanted.values()];
}

/** How many entries reach the maximum of a model. */
export const countOf = (model: ModelName): Accumulator => ({
  name: `ties_${model}`,
  holds: tiesOf(model),
  start: 0,
  combine: "sum",
  entry: select(eq(centred(model), zero), one, zero),
  shape: { kind: "ties", model },
});
