// Masked entries that an objective gives a weight. −Infinity times a probability is −Infinity, as in a divergence of which
// only one model masks the entry. Sums would hold a large number instead, and the loss a wrong one, so that a running pass
// remembers such an entry when it adds up a vector with care, and the run ends in an error. A model's own probability of
// a masked entry is 0, and the product with it 0 (docs/notes/0002-zero-times-infinity.md).

import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import { factor, type Moment } from "./moment.ts";
import * as row from "./row.ts";

const { name } = row;

/** What a lane remembers instead of the largest bits that it met: above those of a NaN. */
export const weightedAbsence: Value = k.u32(0xffffffff);

/** Looks at the vector whose x and e have the number 0, of which `isMasked` is the label's entry. */
export function weighted(
  moments: readonly Moment[],
  lanes: Lanes,
  isMasked: Value,
  inside: Value | null,
): readonly Statement[] {
  return moments.flatMap(({ powers }) =>
    powers.flatMap(({ model, d, k: degree }): readonly Statement[] => {
      if (d !== 0 || degree === 0) return [];
      const bad = name(`bad_${model}`, "u32", lanes);
      const isFar = k.infix(
        name(`z_${model}`, "f32", lanes),
        "<=",
        k.splat(k.f32(-row.reach), lanes),
      );
      const others = powers
        .filter((power) => power.model !== model)
        .map((power) =>
          k.infix(
            factor(
              power,
              name(`x_${power.model}_careful`, "f32", lanes),
              name(`e_${power.model}_careful`, "f32", lanes),
            ),
            "!=",
            k.splat(k.f32(0), lanes),
          ),
        );
      const isOwn = k.not(isMasked);
      const conditions = [isFar, isOwn, ...(inside === null ? [] : [inside]), ...others];
      const isWeighted = conditions.reduce((a, b) => k.infix(a, "&", b));
      const found = k.splat(weightedAbsence, lanes);
      return [k.assign(bad, k.choose(isWeighted, found, bad))];
    }),
  );
}
