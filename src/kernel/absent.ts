// Masked entries that an objective gives a weight. −Infinity times a probability is −Infinity, as in a divergence of which
// only one model masks the entry. Sums would hold a large number instead, and the loss a wrong one, so that a running pass
// remembers such an entry when it adds up a vector with care, and the run ends in an error. A model's own probability of
// a masked entry is 0, and the product with it 0 (docs/notes/0002-zero-times-infinity.md).

import type { BlockPass } from "../block/block.ts";
import { lowered, type Leaves } from "./entries.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import * as row from "./row.ts";
import { badOf, entryAt } from "./state.ts";

/** What a lane remembers instead of the largest bits that it met: above those of a NaN. */
export const weightedAbsence: Value = k.u32(0xffffffff);

/** Which entries of a vector count as −Infinity, by component. */
export interface Masks {
  readonly masked: Value;
  /** Which belong to the row, when others may be in the vector; what those hold is not looked at. */
  readonly inside: Value | null;
}

/** Looks at the vector that is added with care, of which `masked` is the label's entry. */
export function weighted(
  pass: BlockPass,
  lanes: Lanes,
  leaves: Leaves,
  { masked, inside }: Masks,
): readonly Statement[] {
  return pass.weighted.map(({ model, others }): Statement => {
    const bad = badOf(model, lanes);
    const isFar = k.infix(
      entryAt(model, "careful", lanes),
      "<=",
      k.splat(k.f32(-row.reach), lanes),
    );
    const conditions = [
      isFar,
      k.not(masked),
      ...(inside === null ? [] : [inside]),
      ...others.map((other) => lowered(other, leaves)),
    ];
    const isWeighted = conditions.reduce((a, b) => k.infix(a, "&", b));
    return k.assign(bad, k.choose(isWeighted, k.splat(weightedAbsence, lanes), bad));
  });
}
