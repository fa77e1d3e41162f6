// Moments of a running pass and what moving their reference point does to them. With x = z − m and m moved
// to m' (shift δ = m − m' ≤ 0, so x' = x + δ), S[d,k] becomes e^{dδ} Σ_j C(k,j) δ^{k−j} S[d,j]: a group action
// in δ, which is why partial results may be combined in any order.

import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import type { FieldSpec, ModelPower } from "../stream/fields.ts";
import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

export interface Moment {
  /** Name of the variable that holds it. */
  readonly name: string;
  readonly powers: readonly ModelPower[];
}

export const momentKey = (powers: readonly ModelPower[]): string =>
  powers
    .filter(({ d, k: power }) => d !== 0 || power !== 0)
    .map(({ model, d, k: power }) => `${model}:${d},${power}`)
    .toSorted()
    .join(";");

/**
 * The moment after its models' reference points moved by `shift(model)` (null: not moved). `read` gives the
 * current value of a moment of the family, which holds the lower powers that shifting mixes in.
 */
export function shiftMoment(
  moment: Moment,
  read: (lower: Moment) => Value,
  shift: (model: ModelName) => Value | null,
  lanes: k.Lanes,
  family: readonly Moment[],
): Value {
  // Σ over all lower powers of the product of binomial factors
  let terms: readonly {
    readonly powers: readonly ModelPower[];
    readonly factors: readonly Value[];
  }[] = [{ powers: [], factors: [] }];
  for (const power of moment.powers) {
    const distance = shift(power.model);
    // an empty part has m = −1e29: its moments are 0, and 0 · δ^k must stay 0
    const delta =
      distance !== null && power.k > 1
        ? k.maximum(distance, k.f32(-(10 ** Math.floor(30 / power.k))))
        : distance;
    terms = terms.flatMap((term) => {
      if (delta === null) return [{ powers: [...term.powers, power], factors: term.factors }];
      return Array.from({ length: power.k + 1 }, (_, lower) => {
        const factors = [...term.factors];
        const binomial = choose(power.k, lower);
        if (binomial !== 1) factors.push(k.f32(binomial));
        for (let i = lower; i < power.k; i++) factors.push(delta);
        return { powers: [...term.powers, { ...power, k: lower }], factors };
      });
    });
  }
  const sum = terms
    .map(({ powers, factors }) => {
      const key = momentKey(powers);
      const member = family.find((candidate) => momentKey(candidate.powers) === key);
      if (member === undefined)
        fail(
          "moment-missing",
          `The moment ${key} that shifting needs is not kept; this is a bug of prefc, so please report it with the objective.`,
        );
      return [...factors.map((factor) => k.splat(factor, lanes)), read(member)].reduce(k.times);
    })
    .reduce(k.plus);
  const scales = moment.powers.flatMap((power) => {
    const delta = shift(power.model);
    if (delta === null || power.d === 0) return [];
    return [k.exp(power.d === 1 ? delta : k.times(k.f32(power.d), delta))];
  });
  return scales.reduce((value, scale) => k.times(value, k.splat(scale, lanes)), sum);
}

function choose(n: number, j: number): number {
  let result = 1;
  for (let i = 0; i < j; i++) result = (result * (n - i)) / (i + 1);
  return result;
}

/** The moments that must be kept: those asked for, and the lower powers that shifting them mixes in. */
export function momentsOf(fields: readonly FieldSpec[]): readonly Moment[] {
  const wanted = new Map<string, Moment>();
  const add = (powers: readonly ModelPower[]): void => {
    const named = powers.filter(({ d, k: power }) => d !== 0 || power !== 0);
    const key = momentKey(named);
    if (named.length === 0 || wanted.has(key)) return;
    wanted.set(key, { name: `s${wanted.size}`, powers: named });
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

/** Beyond so many factors an exponential of its own is shorter, and no less accurate. */
const mostFactors = 16;

/** e^{d·x} x^k; a small whole d multiplies e^x by itself, and x is bounded so that 0 · x^k stays 0. */
export function factor(power: ModelPower, x: Value, e: Value): Value {
  const parts: Value[] = [];
  if (Number.isInteger(power.d) && power.d <= mostFactors)
    for (let i = 0; i < power.d; i++) parts.push(e);
  else parts.push(k.exp(k.times(k.splat(k.f32(power.d), x.lanes), x)));
  const bound = k.splat(k.f32(-(10 ** Math.floor(30 / Math.max(power.k, 1)))), x.lanes);
  const bounded = power.k > 1 ? k.maximum(x, bound) : x;
  for (let i = 0; i < power.k; i++) parts.push(bounded);
  return parts.reduce(k.times);
}
