// Moments of a running pass and what moving their reference point does to them. With x = z − m and m moved
// to m' (shift δ = m − m' ≤ 0, so x' = x + δ), S[d,k] becomes e^{dδ} Σ_j C(k,j) δ^{k−j} S[d,j]: a group action
// in δ, which is why partial results may be combined in any order.

import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import type { ModelPower } from "../stream/fields.ts";
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
        fail("moment-missing", `The moment ${key} that shifting needs is not kept.`);
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
