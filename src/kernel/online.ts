// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a reference point m near the maximum of the entries, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order (combine.ts). The label's entry is
// added last (finish.ts), which keeps Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import { addBlock, addCarefully, raiseTogether, startAt, type Kept, type Load } from "./block.ts";
import * as buffers from "./buffer.ts";
import { combineLanes, sharedState } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value, Variable } from "./kernel.ts";
import { storePart } from "./parts.ts";
import * as row from "./row.ts";
import * as span from "./span.ts";
import { badOf, isRounded, keptOf, laneOf, partOf, stateOf, worstOf } from "./state.ts";
import { inPairs, ofPair, pairAt, type Layout, type Rows } from "./storage.ts";

export function onlineKernel(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  schedule: Layout,
): { readonly kernel: Kernel; readonly partWords: number } {
  const { models, accumulators } = pass;
  const lanes = schedule.vector;
  const kept: Kept = { pass, lanes };
  const zero = k.splat(k.f32(0), lanes);
  const inParts = accumulators.filter(isRounded);
  const exact = pass.points.filter(({ is }) => is === "maximum").map(({ model }) => model);
  const isSplit = schedule.split > 1;
  const body: readonly Statement[] = [
    ...row.openRow(models, schedule),
    // ---- each lane's own part of the row
    ...models.flatMap((model) => [
      ...k.about(meaning.maximumOf(model), startAtLabel(kept, model, schedule)),
      k.varValue(badOf(model, lanes), k.splat(k.u32(0), lanes)),
    ]),
    ...accumulators.flatMap((one) =>
      k.about(one.holds, [k.varValue(laneOf(one, lanes), k.splat(k.f32(one.start), lanes))]),
    ),
    ...span.overRow(schedule, {
      shared: true,
      pairs: inPairs(schedule),
      open: [
        ...(schedule.shareMaxima ? exact.flatMap((model) => raiseTogether(kept, model)) : []),
        ...inParts.flatMap((one) => k.about(one.holds, [k.varValue(partOf(one, lanes), zero)])),
      ],
      visit: (positions, block) => visit(kept, schedule, positions, block),
      close: inParts.flatMap((one) => {
        const lane = laneOf(one, lanes);
        return k.about(one.holds, [k.assign(lane, k.plus(lane, partOf(one, lanes)))]);
      }),
    }),
    ...accumulators.flatMap((one) =>
      k.about(one.holds, [k.varValue(keptOf(one), span.fold(laneOf(one, lanes), k.plus))]),
    ),
    ...models.map((model) => k.varValue(worstOf(model), span.fold(badOf(model, lanes), k.maximum))),
    // ---- the whole row
    ...combineLanes(pass, schedule),
    k.when(
      k.infix(k.lane, "==", k.u32(0)),
      isSplit ? storePart(pass, schedule.split) : finish(pass, fieldIndex, schedule),
    ),
  ];
  const kernel: Kernel = {
    name: pass.name,
    bindings: [
      ...row.rowBindings(models, schedule),
      ...(isSplit
        ? [buffers.writes(buffers.parts)]
        : [buffers.writes(buffers.rows), buffers.writes(buffers.status)]),
    ],
    workgroup: schedule.rowLanes,
    shared: sharedState(pass, schedule),
    body,
    grid: "row",
    parts: schedule.split,
  };
  return { kernel, partWords: stateOf(pass).length * schedule.split };
}

/**
 * A reference point starts at the label's logit, which is near the largest in most rows, so that few blocks raise it.
 * The label's entry is nevertheless not among those that are added up.
 */
function startAtLabel(kept: Kept, model: ModelName, schedule: Layout): readonly Statement[] {
  const bits = startBits(model);
  const usable = k.infix(row.magnitude(bits), "<", row.infinityBits);
  const start = k.choose(usable, row.asReal(bits), k.f32(row.lowest));
  return [
    k.letValue(bits, row.loadOne(model, row.label, schedule)),
    ...startAt(kept, model, k.maximum(start, k.f32(row.lowest))),
  ];
}
const startBits = k.family((model: ModelName) => k.variable(`start_bits_${model}`, "u32"));

/** A block of vectors at once when it is plain; single vectors, and blocks that are not, with care. */
function visit(
  kept: Kept,
  schedule: Layout,
  positions: readonly Value[],
  block: span.Block,
): readonly Statement[] {
  const carefully = (at: Value, load: Load): readonly Statement[] =>
    addCarefully(kept, at, load, {
      masked: span.isLabelAt(at, schedule),
      // other rows may hold anything, NaN included
      inside: block.shared ? span.isInside(at) : null,
    });
  const rows = (model: ModelName): Rows => row.logitsOf(model, schedule);
  const load = (model: ModelName, at: Value): Value =>
    row.loadBits(model, at, rows(model), schedule, model === kept.pass.models[0]);
  if (positions.length === 1 && block.isRest) return carefully(positions[0]!, load);
  const careful = inPairs(schedule)
    ? pairByPair(kept, schedule, block, carefully)
    : oneByOne(schedule, block, (at) => carefully(at, load));
  if (block.isRest) return [careful];
  const loaded = row.loadBlock(kept.pass.models, positions, schedule);
  return addBlock(kept, positions.length, loaded, span.labelInBlock(block, schedule), [careful]);
}

/**
 * As many rounds as there are vectors, by a bound that no compiler knows: unrolled, this rare code takes registers from the
 * code around it.
 */
const rounds = (count: number): Value => k.minimum(k.u32(count), row.width);

/** Each vector of a block by itself; counted alike by all lanes, which is faster than a loop over positions. */
function oneByOne(
  { rowLanes, unroll }: Layout,
  { from }: span.Block,
  carefully: (at: Value) => readonly Statement[],
): Statement {
  return k.loop(one, k.u32(0), rounds(unroll), k.u32(1), [
    k.letValue(at, k.plus(k.plus(from, k.lane), k.times(one, k.u32(rowLanes)))),
    ...carefully(at),
  ]);
}

const counter = (name: string): Variable => k.variable(name, "u32");
const [one, first, half, at] = [counter("one"), counter("first"), counter("half"), counter("at")];
const both = k.family((model: ModelName) => k.variable(`both_${model}`, "u32", 4));

/** The same where vectors are loaded in pairs. */
function pairByPair(
  { pass: { models } }: Kept,
  schedule: Layout,
  { from, isRest }: span.Block,
  carefully: (at: Value, load: Load) => readonly Statement[],
): Statement {
  const rows = (model: ModelName): Rows => row.logitsOf(model, schedule);
  const own = k.plus(k.times(one, k.u32(schedule.rowLanes)), k.lane);
  const count = isRest ? 1 : schedule.unroll / 2;
  return k.loop(one, k.u32(0), k.u32(count), k.u32(1), [
    k.letValue(first, isRest ? from : k.plus(from, k.times(own, k.u32(2)))),
    ...models.map((model) =>
      k.letValue(both(model), pairAt(rows(model), k.plus(row.baseOf(model), first))),
    ),
    k.loop(half, k.u32(0), k.u32(2), k.u32(1), [
      k.letValue(at, k.plus(first, half)),
      ...carefully(at, (model) => ofPair(rows(model), both(model), half)),
    ]),
  ]);
}
