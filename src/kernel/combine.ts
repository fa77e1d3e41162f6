// Combines the lanes of a row: a tree over workgroup memory in which two parts are brought to the larger of
// their maxima and added. The shape of the tree is fixed, so the same row gives the same bits in every run. Lanes that are
// one subgroup are brought to the largest maximum and added by it: without a barrier, which costs a software adapter more
// than the additions, as it must keep every variable of the kernel in memory around it.

import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import * as k from "./kernel.ts";
import type { Scalar, Shared, Statement, Value, Variable } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import type { Schedule } from "../schedule/schedule.ts";

const { name } = row;
const zero = k.f32(0);

/** One accumulator: its variable, what it holds where nothing was read, and what it stands for. */
export interface State {
  readonly own: string;
  readonly type: Scalar;
  readonly start: Value;
  readonly source: Node;
}

/** What a lane holds when its part of the row is read. */
export function stateOf(
  models: readonly ModelName[],
  moments: readonly Moment[],
  ties: readonly ModelName[],
): readonly State[] {
  const of = (own: string, start: Value, source: Node): State => ({
    own,
    type: start.type,
    start,
    source,
  });
  return [
    ...models.map((model) => of(`m_${model}`, k.f32(row.lowest), meaning.maximumOf(model))),
    ...models.map((model) => of(`worst_${model}`, k.u32(0), meaning.maximumOf(model))),
    ...moments.map((moment) => of(moment.name, zero, meaning.momentOf(moment.powers))),
    ...ties.map((model) => of(`ties_${model}`, zero, meaning.tiesOf(model))),
  ];
}

export function sharedState(
  models: readonly ModelName[],
  moments: readonly Moment[],
  ties: readonly ModelName[],
  schedule: Schedule,
): readonly Shared[] {
  if (areSubgroup(schedule)) return [];
  return stateOf(models, moments, ties).map(({ own, type }) => sharedOf(own, type, schedule));
}
const sharedOf = (own: string, type: Scalar, { rowLanes }: Schedule): Shared => ({
  name: `shared_${own}`,
  element: { type, lanes: 1 },
  length: rowLanes,
});

/** Whether the lanes of a row are the lanes of a subgroup. */
const areSubgroup = ({ combine }: Schedule): boolean => combine === "subgroup";

/** Afterwards lane 0 holds the whole row, in the variables of its own part. */
export function combineLanes(
  models: readonly ModelName[],
  moments: readonly Moment[],
  ties: readonly ModelName[],
  schedule: Schedule,
): readonly Statement[] {
  if (areSubgroup(schedule)) return combineSubgroup(models, moments, ties);
  const body: Statement[] = [];
  const state = stateOf(models, moments, ties);
  const share = state.flatMap(({ own, type, source }) =>
    k.about(source, [k.assign(k.load(sharedOf(own, type, schedule), k.lane), name(own, type))]),
  );
  body.push(...share, k.barrier);
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = (text: string, type: k.Scalar = "f32"): Value =>
      k.load(sharedOf(text, type, schedule), k.plus(k.lane, k.u32(half)));
    const merged: Statement[] = [];
    for (const model of models) {
      const m = name(`m_${model}`);
      const [theirs, best] = [name(`other_${m.name}`), name(`new_${m.name}`)];
      const worst = name(`worst_${model}`, "u32");
      merged.push(
        ...k.about(meaning.maximumOf(model), [
          k.letValue(theirs, other(m.name)),
          k.letValue(best, k.maximum(m, theirs)),
          k.letValue(name(`own_shift_${model}`), k.minus(m, best)),
          k.letValue(name(`other_shift_${model}`), k.minus(theirs, best)),
          k.assign(worst, k.maximum(worst, other(worst.name, "u32"))),
        ]),
      );
    }
    // the new values are all formed from the old ones before any is assigned
    for (const moment of moments) {
      const own = shiftMoment(
        moment,
        (lower) => name(lower.name),
        (model) => name(`own_shift_${model}`),
        1,
        moments,
      );
      const theirs = shiftMoment(
        moment,
        (lower) => other(lower.name),
        (model) => name(`other_shift_${model}`),
        1,
        moments,
      );
      const sum = k.letValue(name(`new_${moment.name}`), k.plus(own, theirs));
      merged.push(...aboutMoment(moment, sum));
    }
    for (const model of ties) {
      const kept = (shift: string, amount: Value): Value =>
        k.choose(k.infix(name(shift), "==", zero), amount, zero);
      const sum = k.plus(
        kept(`own_shift_${model}`, name(`ties_${model}`)),
        kept(`other_shift_${model}`, other(`ties_${model}`)),
      );
      merged.push(...k.about(meaning.tiesOf(model), [k.assign(name(`ties_${model}`), sum)]));
    }
    for (const moment of moments) merged.push(...aboutMoment(moment, replaced(moment.name)));
    for (const model of models)
      merged.push(...k.about(meaning.maximumOf(model), [replaced(`m_${model}`)]));
    merged.push(...share);
    body.push(k.when(k.infix(k.lane, "<", k.u32(half)), merged), k.barrier);
  }
  return body;
}

const replaced = (own: string): Statement => k.assign(name(own), name(`new_${own}`));
const aboutMoment = ({ powers }: Moment, statement: Statement): readonly Statement[] =>
  k.about(meaning.momentOf(powers), [statement]);

function combineSubgroup(
  models: readonly ModelName[],
  moments: readonly Moment[],
  ties: readonly ModelName[],
): readonly Statement[] {
  const shift = (model: ModelName): Variable => name(`own_shift_${model}`);
  const moved = (moment: Moment): Value =>
    shiftMoment(moment, (lower) => name(lower.name), shift, 1, moments);
  return [
    ...models.flatMap((model) => {
      const m = name(`m_${model}`);
      const worst = name(`worst_${model}`, "u32");
      return k.about(meaning.maximumOf(model), [
        k.letValue(name(`new_${m.name}`), k.subgroup("max", m)),
        k.letValue(shift(model), k.minus(m, name(`new_${m.name}`))),
        k.assign(worst, k.subgroup("max", worst)),
      ]);
    }),
    // the new values are all formed from the old ones before any is assigned
    ...moments.flatMap((moment) =>
      aboutMoment(moment, k.letValue(name(`new_${moment.name}`), moved(moment))),
    ),
    ...moments.flatMap((moment) =>
      aboutMoment(
        moment,
        k.assign(name(moment.name), k.subgroup("add", name(`new_${moment.name}`))),
      ),
    ),
    ...ties.flatMap((model) => {
      const reach = k.infix(shift(model), "==", zero);
      const own = k.choose(reach, name(`ties_${model}`), zero);
      return k.about(meaning.tiesOf(model), [
        k.assign(name(`ties_${model}`), k.subgroup("add", own)),
      ]);
    }),
    ...models.flatMap((model) => k.about(meaning.maximumOf(model), [replaced(`m_${model}`)])),
  ];
}
