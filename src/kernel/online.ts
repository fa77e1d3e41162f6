// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a reference point m near the maximum of the entries, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order (combine.ts). The label's entry is
// added last (finish.ts), which keeps Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { ModelName } from "../core/inputs.ts";
import type { OnlinePass } from "../stream/stages.ts";
import { addBlock, addCarefully, raiseTogether, startAt, type Kept, type Load } from "./block.ts";
import { combineLanes, sharedState, stateOf, type State } from "./combine.ts";
import { finish } from "./finish.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value, Variable } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { momentsOf } from "./moment.ts";
import { storePart } from "./parts.ts";
import * as row from "./row.ts";
import * as span from "./span.ts";
import { inPairs, ofPair, pairAt, type Layout, type Rows } from "./storage.ts";

const { name } = row;
const zero = k.f32(0);

export function onlineKernel(
  pass: OnlinePass,
  fieldIndex: (field: string) => number,
  schedule: Layout,
): { readonly kernel: Kernel; readonly partWords: number } {
  const moments = momentsOf(pass.fields);
  const ties = pass.fields.flatMap((spec) => (spec.kind === "ties" ? [spec.model] : []));
  const lanes = schedule.vector;
  const { models, exact } = pass;
  const kept: Kept = { models, exact, moments, ties, lanes };
  const body: Statement[] = [...row.openRow(pass.models, schedule)];

  // ---- each lane's own part of the row
  for (const model of pass.models) {
    body.push(
      ...k.about(meaning.maximumOf(model), startAtLabel(kept, model, schedule)),
      k.varValue(name(`bad_${model}`, "u32", lanes), k.splat(k.u32(0), lanes)),
    );
  }
  const state = stateOf(pass.models, moments, ties);
  // after what there is for each model: its maximum and its worst entry
  const sums = state.slice(2 * pass.models.length);
  const each = (of: readonly State[], make: (own: string) => Statement): readonly Statement[] =>
    of.flatMap(({ own, source }) => k.about(source, [make(own)]));
  const lane = (own: string): Variable => name(`lane_${own}`, "f32", lanes);
  body.push(...each(sums, (own) => k.varValue(lane(own), k.splat(zero, lanes))));
  const inParts = sums.slice(0, moments.length);
  body.push(
    ...span.overRow(schedule, {
      shared: true,
      pairs: inPairs(schedule),
      open: [
        ...(schedule.shareMaxima ? pass.exact.flatMap((model) => raiseTogether(kept, model)) : []),
        ...each(inParts, (own) =>
          k.varValue(name(`part_${own}`, "f32", lanes), k.splat(zero, lanes)),
        ),
      ],
      visit: (positions, block) => visit(kept, schedule, positions, block),
      close: each(inParts, (own) =>
        k.assign(lane(own), k.plus(lane(own), name(`part_${own}`, "f32", lanes))),
      ),
    }),
  );
  body.push(...each(sums, (own) => k.varValue(name(own), span.fold(lane(own), k.plus))));
  for (const model of pass.models) {
    const bad = name(`bad_${model}`, "u32", lanes);
    body.push(k.varValue(name(`worst_${model}`, "u32"), span.fold(bad, k.maximum)));
  }
  const isSplit = schedule.split > 1;
  const whole = isSplit
    ? storePart(state, schedule.split)
    : finish(pass, moments, fieldIndex, schedule);
  body.push(
    ...combineLanes(pass.models, moments, ties, schedule),
    k.when(k.infix(k.lane, "==", k.u32(0)), whole),
  );

  const kernel: Kernel = {
    name: `read ${pass.models.join(" and ")} logits`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      ...(isSplit
        ? [buffers.writes(buffers.parts)]
        : [buffers.writes(buffers.rows), buffers.writes(buffers.status)]),
    ],
    workgroup: schedule.rowLanes,
    shared: sharedState(pass.models, moments, ties, schedule),
    body,
    grid: "row",
    parts: schedule.split,
  };
  return { kernel, partWords: state.length * schedule.split };
}

/**
 * A reference point starts at the label's logit, which is near the largest in most rows, so that few blocks raise it.
 * The label's entry is nevertheless not among those that are added up.
 */
function startAtLabel(kept: Kept, model: ModelName, schedule: Layout): readonly Statement[] {
  const bits = name(`start_bits_${model}`, "u32");
  const usable = k.infix(row.magnitude(bits), "<", row.infinityBits);
  const start = k.choose(usable, row.asReal(bits), k.f32(row.lowest));
  return [
    k.letValue(bits, row.loadOne(model, row.label, schedule)),
    ...startAt(kept, model, k.maximum(start, k.f32(row.lowest))),
  ];
}

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
    row.loadBits(model, at, rows(model), schedule, model === kept.models[0]);
  if (positions.length === 1 && block.isRest) return carefully(positions[0]!, load);
  const careful = inPairs(schedule)
    ? pairByPair(kept, schedule, block, carefully)
    : oneByOne(schedule, block, (at) => carefully(at, load));
  if (block.isRest) return [careful];
  const loaded = row.loadBlock(kept.models, positions, schedule);
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
  const [one, at] = [name("one", "u32"), name("at", "u32")];
  return k.loop(one, k.u32(0), rounds(unroll), k.u32(1), [
    k.letValue(at, k.plus(k.plus(from, k.lane), k.times(one, k.u32(rowLanes)))),
    ...carefully(at),
  ]);
}

/** The same where vectors are loaded in pairs. */
function pairByPair(
  { models }: Kept,
  schedule: Layout,
  { from, isRest }: span.Block,
  carefully: (at: Value, load: Load) => readonly Statement[],
): Statement {
  const [one, first, half, at] = ["one", "first", "half", "vector"].map((text) =>
    name(text, "u32"),
  ) as [Variable, Variable, Variable, Variable];
  const rows = (model: ModelName): Rows => row.logitsOf(model, schedule);
  const both = (model: ModelName): Variable => name(`both_${model}`, "u32", 4);
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
