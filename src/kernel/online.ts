// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a running maximum m over the entries other than the label, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order (combine.ts). The label's entry is
// added last (finish.ts), which keeps Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { ModelName } from "../core/inputs.ts";
import type { OnlinePass } from "../stream/stages.ts";
import { addBlock, addCarefully, raiseTogether, running, type Kept } from "./block.ts";
import { combineLanes, sharedState, stateOf } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { momentsOf } from "./moment.ts";
import { partsBinding, storePart } from "./parts.ts";
import * as row from "./row.ts";
import * as span from "./span.ts";
import type { Layout } from "./storage.ts";

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
  const kept: Kept = { models: pass.models, moments, ties, lanes };
  const body: Statement[] = [...row.openRow(pass.models, schedule)];

  // ---- each lane's own part of the row
  for (const model of pass.models) {
    body.push(
      ...startAtLabel(model, schedule),
      k.varValue(`bad_${model}`, k.splat(k.u32(0), lanes)),
    );
  }
  for (const moment of moments) body.push(k.varValue(`lane_${moment.name}`, k.splat(zero, lanes)));
  for (const model of ties) body.push(k.varValue(`lane_ties_${model}`, k.splat(zero, lanes)));
  body.push(
    ...span.overRow(schedule, {
      shared: true,
      open: [
        ...(schedule.shareMaxima ? pass.models.flatMap((model) => raiseTogether(kept, model)) : []),
        ...moments.map((moment) => k.varValue(`part_${moment.name}`, k.splat(zero, lanes))),
      ],
      visit: (positions, block) => visit(kept, schedule, positions, block),
      close: moments.map((moment) => {
        const lane = name(`lane_${moment.name}`, "f32", lanes);
        return k.assign(lane.code, k.plus(lane, name(`part_${moment.name}`, "f32", lanes)));
      }),
    }),
  );
  for (const moment of moments) {
    body.push(
      k.varValue(moment.name, span.fold(name(`lane_${moment.name}`, "f32", lanes), k.plus)),
    );
  }
  for (const model of ties)
    body.push(
      k.varValue(`ties_${model}`, span.fold(name(`lane_ties_${model}`, "f32", lanes), k.plus)),
    );

  for (const model of pass.models) {
    const bad = name(`bad_${model}`, "u32", lanes);
    body.push(k.varValue(`worst_${model}`, span.fold(bad, k.maximum)));
  }
  const isSplit = schedule.split > 1;
  const state = stateOf(pass.models, moments, ties);
  const whole = isSplit
    ? storePart(state, schedule.split)
    : finish(pass, moments, fieldIndex, schedule);
  body.push(
    ...combineLanes(pass.models, moments, ties, schedule),
    k.when(k.infix(row.lane, "==", k.u32(0)), whole),
  );

  const kernel: Kernel = {
    name: `read ${pass.models.join(" and ")} logits`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      ...(isSplit
        ? [partsBinding("write")]
        : ([
            { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
            { name: "status", role: { kind: "status" }, access: "write", type: "atomic<u32>" },
          ] as const)),
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
 * A running maximum starts at the label's logit, which is near the largest in most rows, so that few blocks raise it.
 * The label's entry is nevertheless not among those that are added up.
 */
function startAtLabel(model: ModelName, schedule: Layout): readonly Statement[] {
  const bits = name(`start_bits_${model}`, "u32");
  const usable = k.infix(row.magnitude(bits), "<", row.infinityBits);
  const start = k.choose(usable, row.asReal(bits), k.f32(row.lowest));
  return [
    k.letValue(bits.code, row.loadOne(model, row.label, schedule)),
    k.varValue(running(model).code, k.maximum(start, k.f32(row.lowest))),
  ];
}

/** A block of vectors at once when it is plain; single vectors, and blocks that are not, with care. */
function visit(
  kept: Kept,
  schedule: Layout,
  positions: readonly Value[],
  block: span.Block,
): readonly Statement[] {
  const load = (model: ModelName, at: Value): Value =>
    row.loadBits(model, at, row.logitsOf(model, schedule), schedule, model === kept.models[0]);
  const carefully = (at: Value): readonly Statement[] =>
    addCarefully(kept, at, load, {
      masked: span.isLabelAt(at, schedule),
      // other rows may hold anything, NaN included
      inside: block.shared ? span.isInside(at) : null,
    });
  if (block.span === 1) return carefully(positions[0]!);
  // counted alike by all lanes, which is faster than a loop over positions
  const own = k.plus(block.from, row.lane);
  const one = k.loop("one", k.u32(0), k.u32(schedule.unroll), k.u32(1), [
    k.letValue("at", k.plus(own, k.times(name("one", "u32"), k.u32(schedule.rowLanes)))),
    ...carefully(name("at", "u32")),
  ]);
  return addBlock(kept, positions, load, span.labelInBlock(block, schedule), [one]);
}
