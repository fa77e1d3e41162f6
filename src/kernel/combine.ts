// Combines the lanes of a row: a tree over workgroup memory in which two parts are brought to the larger of
// their maxima and added. The shape of the tree is fixed, so the same row gives the same bits in every run. Lanes that are
// one subgroup are brought to the largest maximum and added by it: without a barrier, which costs a software adapter more
// than the additions, as it must keep every variable of the kernel in memory around it.

import type { Accumulator, BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import { moved } from "../block/moments.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { leavesOf, lowered, type Leaves } from "./entries.ts";
import * as k from "./kernel.ts";
import { laneInRow } from "./lanes.ts";
import type { Shared, Statement, Value, Variable } from "./kernel.ts";
import { isRounded, keptOf, newOf, pointOf, stateOf, worstOf, type State } from "./state.ts";

export function sharedState(pass: BlockPass, schedule: Schedule): readonly Shared[] {
  if (areSubgroup(schedule) || schedule.rowLanes === 1) return [];
  return stateOf(pass).map(({ variable }) => sharedOf(variable, schedule));
}
const sharedOf = ({ name, type }: Variable, { rowLanes, groupRows }: Schedule): Shared => ({
  name: `shared_${name}`,
  element: { type, lanes: 1 },
  length: rowLanes * groupRows,
});

/** Whether the lanes of a row are the lanes of a subgroup. */
const areSubgroup = ({ combine }: Schedule): boolean => combine === "subgroup";

const family = (prefix: string): ((model: ModelName) => Variable) =>
  k.family((model: ModelName) => k.variable(`${prefix}_${model}`));
const [newPoint, otherPoint] = [family("new_m"), family("other_m")];
const [ownShift, otherShift] = [family("own_shift"), family("other_shift")];

/** What a part holds and how far its points are moved. */
function leavesFor(
  { models, accumulators }: BlockPass,
  read: (variable: Variable) => Value,
  shift: (model: ModelName) => Value,
): Leaves {
  return leavesOf(
    new Map<Node, Value>([
      ...accumulators.map((one) => [one.holds, read(keptOf(one))] as const),
      ...models.map((model) => [meaning.shiftOf(model), shift(model)] as const),
    ]),
  );
}
const after = (pass: BlockPass, one: Accumulator, leaves: Leaves): Value =>
  lowered(
    moved(one, () => true, pass.accumulators),
    leaves,
  );

/** Afterwards the first lane of a row holds the whole row, in the variables of its own part. */
export function combineLanes(pass: BlockPass, schedule: Schedule): readonly Statement[] {
  if (areSubgroup(schedule)) return combineSubgroup(pass);
  if (schedule.rowLanes === 1) return [];
  const { models, accumulators } = pass;
  const share = stateOf(pass).flatMap(({ variable, source }: State) =>
    k.about(source, [k.assign(k.load(sharedOf(variable, schedule), k.lane), variable)]),
  );
  const body: Statement[] = [...share, k.barrier];
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = (variable: Variable): Value =>
      k.load(sharedOf(variable, schedule), k.plus(k.lane, k.u32(half)));
    const own = leavesFor(pass, (variable) => variable, ownShift);
    const theirs = leavesFor(pass, other, otherShift);
    const sum = (one: Accumulator): Value =>
      k.plus(after(pass, one, own), after(pass, one, theirs));
    const points = models.flatMap((model) => {
      const [m, best, their] = [pointOf(model), newPoint(model), otherPoint(model)];
      return k.about(meaning.maximumOf(model), [
        k.letValue(their, other(m)),
        k.letValue(best, k.maximum(m, their)),
        k.letValue(ownShift(model), k.minus(m, best)),
        k.letValue(otherShift(model), k.minus(their, best)),
        k.assign(worstOf(model), k.maximum(worstOf(model), other(worstOf(model)))),
      ]);
    });
    const merged = [
      ...points,
      // the new values are all formed from the old ones before any is assigned
      ...accumulators
        .filter(isRounded)
        .flatMap((one) => k.about(one.holds, [k.letValue(newOf(one), sum(one))])),
      ...accumulators
        .filter((one) => !isRounded(one))
        .flatMap((one) => k.about(one.holds, [k.assign(keptOf(one), sum(one))])),
      ...accumulators
        .filter(isRounded)
        .flatMap((one) => k.about(one.holds, [k.assign(keptOf(one), newOf(one))])),
      ...models.flatMap(replacePoint),
      ...share,
    ];
    body.push(k.when(k.infix(laneInRow(schedule), "<", k.u32(half)), merged), k.barrier);
  }
  return body;
}

const replacePoint = (model: ModelName): readonly Statement[] =>
  k.about(meaning.maximumOf(model), [k.assign(pointOf(model), newPoint(model))]);

function combineSubgroup(pass: BlockPass): readonly Statement[] {
  const { models, accumulators } = pass;
  const own = leavesFor(pass, (variable) => variable, ownShift);
  const [rounded, counts] = [
    accumulators.filter(isRounded),
    accumulators.filter((one) => !isRounded(one)),
  ];
  return [
    ...models.flatMap((model) => {
      const [m, best, worst] = [pointOf(model), newPoint(model), worstOf(model)];
      return k.about(meaning.maximumOf(model), [
        k.letValue(best, k.subgroup("max", m)),
        k.letValue(ownShift(model), k.minus(m, best)),
        k.assign(worst, k.subgroup("max", worst)),
      ]);
    }),
    // the new values are all formed from the old ones before any is assigned
    ...rounded.flatMap((one) =>
      k.about(one.holds, [k.letValue(newOf(one), after(pass, one, own))]),
    ),
    ...rounded.flatMap((one) =>
      k.about(one.holds, [k.assign(keptOf(one), k.subgroup("add", newOf(one)))]),
    ),
    ...counts.flatMap((one) =>
      k.about(one.holds, [k.assign(keptOf(one), k.subgroup("add", after(pass, one, own)))]),
    ),
    ...models.flatMap(replacePoint),
  ];
}
