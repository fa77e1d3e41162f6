// What a running pass does with the entries that a lane has loaded. Almost every block of a row is plain: no entry
// above the running maximum m, no NaN, no infinity, not the label. One unsigned maximum over the bits of m − z tells,
// because a negative difference, an infinity and a NaN all have bits from those of infinity upwards. A plain block is
// added up as it is; any other is loaded again, one vector at a time, with the label and −Infinity masked.

import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { factor, shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import { fold, tree } from "./span.ts";

const { name } = row;

/** What a lane keeps of its part of a row: maxima by model, moments, and how many entries reach a maximum. */
export interface Kept {
  readonly models: readonly ModelName[];
  readonly moments: readonly Moment[];
  readonly ties: readonly ModelName[];
  readonly lanes: Lanes;
}

/** The bits of the vector of logits at a position of the row. */
export type Load = (model: ModelName, at: Value) => Value;

export const running = (model: ModelName): Value => name(`m_${model}`);

/** Adds a block of vectors, or runs `careful` where it is not plain. */
export function addBlock(
  kept: Kept,
  positions: readonly Value[],
  load: Load,
  isSpecial: Value,
  careful: readonly Statement[],
): readonly Statement[] {
  const { lanes } = kept;
  const loads = kept.models.flatMap((model) =>
    k.about(
      meaning.centred(model),
      positions.map((at, j) => {
        const z = row.asReal(load(model, at));
        const m = k.splat(running(model), lanes);
        return k.letValue(distance(kept, model, j).code, k.minus(m, z));
      }),
    ),
  );
  const bits = kept.models.flatMap((model) =>
    positions.map((_, j) => row.bitsOf(distance(kept, model, j))),
  );
  const worst = name("worst", "u32");
  const notPlain = k.infix(worst, ">=", row.infinityBits);
  return [
    ...loads,
    k.letValue(worst.code, fold(tree(bits, k.maximum), k.maximum)),
    k.when(k.infix(notPlain, "||", isSpecial), careful, addEntries(kept, positions.length)),
  ];
}

/** Which entries of a vector count as −Infinity, by component. */
export interface Masks {
  readonly masked: Value;
  /** Which belong to the row, when others may be in the vector; what those hold is not looked at. */
  readonly inside: Value | null;
}

/** Adds one vector, whatever it holds. */
export function addCarefully(
  kept: Kept,
  at: Value,
  load: Load,
  { masked: isMasked, inside }: Masks,
): readonly Statement[] {
  const { lanes } = kept;
  const before = kept.models.flatMap((model): readonly Statement[] => {
    const bits = name(`bits_${model}`, "u32", lanes);
    const size = name(`size_${model}`, "u32", lanes);
    const z = name(`z_${model}`, "f32", lanes);
    const top = name(`top_${model}`);
    const bad = name(`bad_${model}`, "u32", lanes);
    const known = k.choose(row.isNegativeInfinity(bits), k.splat(k.u32(0), lanes), size);
    const unusable = k.infix(size, ">=", k.splat(row.infinityBits, lanes));
    const masked = k.infix(unusable, "|", isMasked);
    const far = k.call("min", "f32", k.minus(k.splat(running(model), lanes), z), farthest(lanes));
    return k.about(meaning.centred(model), [
      k.letValue(
        bits.code,
        inside === null
          ? load(model, at)
          : k.choose(inside, load(model, at), k.splat(k.u32(0xff800000), lanes)),
      ),
      k.letValue(size.code, row.magnitude(bits)),
      k.assign(bad.code, k.maximum(bad, known)),
      k.letValue(z.code, k.choose(masked, k.splat(k.f32(row.absent), lanes), row.asReal(bits))),
      k.letValue(top.code, fold(z, k.maximum)),
      ...raise(kept, model, ["lane", "part"]),
      k.letValue(distance(kept, model, 0).code, far),
    ]);
  });
  return [...before, ...addEntries(kept, 1)];
}

/** Raises a lane's running maximum to the largest of its subgroup, between chunks, when no part is open. */
export function raiseTogether(kept: Kept, model: ModelName): readonly Statement[] {
  const top = name(`top_${model}`);
  return k.about(meaning.maximumOf(model), [
    k.letValue(top.code, k.call("subgroupMax", "f32", running(model))),
    ...raise(kept, model, ["lane"]),
  ]);
}

/**
 * Moves everything that is kept from the running maximum of a model to `top`, if that is higher. Selects and not a
 * branch, which is slower; and not a factor e^0, which is not 1 to the last bit on every adapter.
 */
function raise(
  { moments, ties, lanes }: Kept,
  model: ModelName,
  prefixes: readonly string[],
): readonly Statement[] {
  const [top, shift] = [name(`top_${model}`), name(`shift_${model}`)];
  const isHigher = k.infix(shift, "<", k.f32(0));
  const shifts = (other: ModelName): Value | null => (other === model ? shift : null);
  const moved = (source: Node, variable: string, value: Value): readonly Statement[] => {
    const own = name(variable, "f32", lanes);
    return k.about(source, [k.assign(variable, k.choose(isHigher, value, own))]);
  };
  const ordered = moments
    .filter(({ powers }) => powers.some((power) => power.model === model))
    .toSorted((a, b) => degree(b) - degree(a)); // each uses lower powers before they are moved themselves
  return k.about(meaning.maximumOf(model), [
    k.letValue(shift.code, k.minus(running(model), k.maximum(running(model), top))),
    ...prefixes.flatMap((prefix) => {
      const read = (moment: Moment): Value => name(`${prefix}_${moment.name}`, "f32", lanes);
      return ordered.flatMap((moment) =>
        moved(
          meaning.momentOf(moment.powers),
          read(moment).code,
          shiftMoment(moment, read, shifts, lanes, moments),
        ),
      );
    }),
    ...(ties.includes(model)
      ? moved(meaning.tiesOf(model), `lane_ties_${model}`, nothing(lanes))
      : []),
    k.assign(running(model).code, k.maximum(running(model), top)),
  ]);
}
const degree = (moment: Moment): number => moment.powers.reduce((sum, power) => sum + power.k, 0);

/** m − z of the entries at a position, which is 0 or more. */
const distance = ({ lanes }: Kept, model: ModelName, j: number): Value =>
  name(`d_${model}_${j}`, "f32", lanes);
const nothing = (lanes: Lanes): Value => k.splat(k.f32(0), lanes);
/** Beyond every distance that has an exponential, so that e^{−d} d is 0 and not a NaN. */
const farthest = (lanes: Lanes): Value => k.splat(k.f32(-row.absent), lanes);

/** Adds the entries whose distances are known to everything that is kept. */
function addEntries(kept: Kept, count: number): readonly Statement[] {
  const { lanes } = kept;
  const positions = Array.from({ length: count }, (_, j) => j);
  const d = (model: ModelName, j: number): Value => distance(kept, model, j);
  const x = (model: ModelName, j: number): Value => k.value("f32", `(-${d(model, j).code})`, lanes);
  const e = (model: ModelName, j: number): Value => name(`e_${model}_${j}`, "f32", lanes);
  const add = (source: Node, variable: string, terms: readonly Value[]): readonly Statement[] => {
    const sum = k.plus(name(variable, "f32", lanes), tree(terms, k.plus));
    return k.about(source, [k.assign(variable, sum)]);
  };
  const powers = kept.moments.flatMap((moment) => moment.powers);
  return [
    ...kept.models
      .filter((model) => powers.some((power) => power.model === model && power.d > 0))
      .flatMap((model) =>
        k.about(
          meaning.exponential(model),
          positions.map((j) => k.letValue(e(model, j).code, k.exp(x(model, j)))),
        ),
      ),
    ...kept.moments.flatMap((moment) =>
      add(
        meaning.momentOf(moment.powers),
        `part_${moment.name}`,
        positions.map((j) =>
          moment.powers
            .map((power) => factor(power, x(power.model, j), e(power.model, j)))
            .reduce(k.times),
        ),
      ),
    ),
    ...kept.ties.flatMap((model) =>
      add(
        meaning.tiesOf(model),
        `lane_ties_${model}`,
        positions.map((j) => {
          const isTop = k.infix(d(model, j), "==", nothing(lanes));
          return k.choose(isTop, k.splat(k.f32(1), lanes), nothing(lanes));
        }),
      ),
    ),
  ];
}
