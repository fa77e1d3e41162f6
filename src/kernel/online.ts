// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a reference point m near the maximum of the entries, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order (combine.ts). The label's entry is
// added last (finish.ts), which keeps Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import {
  addBlock,
  addCarefully,
  isExact,
  raiseTogether,
  startAt,
  type Kept,
  type Load,
} from "./block.ts";
import * as buffers from "./buffer.ts";
import { combineLanes, sharedState } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import { finishesRow, laneInRow } from "./lanes.ts";
import type { Kernel, Lanes, Statement, Value, Variable } from "./kernel.ts";
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
    ...row.openRows(models, schedule),
    // ---- each lane's own part of the row
    ...(schedule.groupRows === 1 ? startAtLabel : startAtLargest)(kept, schedule),
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
      finishesRow(schedule),
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
    workgroup: schedule.rowLanes * schedule.groupRows,
    shared: sharedState(pass, schedule),
    body,
    grid: "row",
    rows: schedule.groupRows,
    parts: schedule.split,
  };
  return { kernel, partWords: stateOf(pass).length * schedule.split };
}

/**
 * A reference point starts at the label's logit, which is near the largest in most rows, so that few blocks raise it.
 * The label's entry is nevertheless not among those that are added up.
 */
function startAtLabel(kept: Kept, schedule: Layout): readonly Statement[] {
  return kept.pass.models.flatMap((model) => [
    ...k.about(meaning.maximumOf(model), [
      k.letValue(startBits(model), row.loadOne(model, row.label, schedule)),
      ...startAt(kept, model, ofLabel(model)),
    ]),
    k.varValue(badOf(model, kept.lanes), k.splat(k.u32(0), kept.lanes)),
  ]);
}
/** The label's logit where it is one, raised to the lowest point. */
function ofLabel(model: ModelName): Value {
  const bits = startBits(model);
  const usable = k.infix(row.magnitude(bits), "<", row.infinityBits);
  return k.maximum(k.choose(usable, row.asReal(bits), k.f32(row.lowest)), k.f32(row.lowest));
}

/**
 * Lanes of different rows would hardly ever raise their points in the same block, and all of them would wait for each. So the
 * largest entry of the first block is known before, and entries may lie above it at once by as much as ever. Where the
 * maximum itself is asked for, the largest of the row is: short rows lie in a cache. For the same reason the label is masked
 * in every block (`visit`), and looked at here.
 */
function startAtLargest(kept: Kept, schedule: Layout): readonly Statement[] {
  const { lanes, pass } = kept;
  const { models } = pass;
  const top = (model: ModelName): Variable => largest(model, lanes);
  const block = k.minimum(k.u32(schedule.rowLanes * schedule.unroll), row.width);
  const end = models.some((model) => isExact(kept, model)) ? row.width : block;
  return [
    ...models.flatMap((model) =>
      k.about(meaning.maximumOf(model), [
        k.letValue(startBits(model), row.loadOne(model, row.label, schedule)),
        k.varValue(top(model), k.splat(k.f32(row.lowest), lanes)),
      ]),
    ),
    k.loop(
      at,
      laneInRow(schedule),
      end,
      k.u32(schedule.rowLanes),
      models.flatMap((model) => {
        const rows = row.logitsOf(model, schedule);
        const bits = inPairs(schedule)
          ? ofPair(rows, pairAt(rows, k.plus(row.baseOf(model), at)), k.infix(at, "%", k.u32(2)))
          : row.loadBits(model, at, rows, schedule, model === models[0]);
        return k.about(meaning.maximumOf(model), [
          k.assign(top(model), k.maximum(top(model), row.finite(bits))),
        ]);
      }),
    ),
    ...models.flatMap((model) => {
      const found = largestOf(model);
      const size = row.magnitude(startBits(model));
      const unusable = k.infix(
        k.infix(size, ">=", row.infinityBits),
        "&&",
        k.not(row.isNegativeInfinity(startBits(model))),
      );
      const isNumber = k.infix(row.magnitude(row.bitsOf(found)), "<", row.infinityBits);
      // where the point is the label's logit, any entry above it must be seen: the label is not the largest then
      const isHigher = k.infix(isNumber, "&&", k.infix(found, ">", ofLabel(model)));
      return [
        ...k.about(meaning.maximumOf(model), [
          k.letValue(found, span.fold(top(model), k.maximum)),
          ...startAt(kept, model, k.choose(isHigher, found, ofLabel(model)), isHigher),
        ]),
        k.varValue(badOf(model, lanes), k.splat(k.choose(unusable, size, k.u32(0)), lanes)),
      ];
    }),
  ];
}
const largest = k.family((model: ModelName, lanes: Lanes) =>
  k.variable(`largest_${model}`, "f32", lanes),
);
const largestOf = k.family((model: ModelName) => k.variable(`largest_of_${model}`));
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
  const label =
    schedule.groupRows === 1
      ? { inBlock: span.labelInBlock(block, schedule) }
      : { at: positions.map((position) => span.isLabelAt(position, schedule)) };
  return addBlock(kept, positions.length, loaded, label, [careful]);
}

/**
 * As many rounds as there are vectors, by a bound that no compiler knows: unrolled, this rare code takes registers from the
 * code around it.
 */
const rounds = (count: number): Value => k.minimum(k.u32(count), row.width);

/** Each vector of a block by itself; counted alike by all lanes, which is faster than a loop over positions. */
function oneByOne(
  schedule: Layout,
  { from }: span.Block,
  carefully: (at: Value) => readonly Statement[],
): Statement {
  const { rowLanes, unroll } = schedule;
  return k.loop(one, k.u32(0), rounds(unroll), k.u32(1), [
    k.letValue(at, k.plus(k.plus(from, laneInRow(schedule)), k.times(one, k.u32(rowLanes)))),
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
  const own = k.plus(k.times(one, k.u32(schedule.rowLanes)), laneInRow(schedule));
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
