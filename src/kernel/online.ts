// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a running maximum m over the entries other than the label, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order (combine.ts). The label's entry is
// added last (finish.ts), which keeps Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { ModelName } from "../core/inputs.ts";
import type { OnlinePass } from "../stream/stages.ts";
import { combineLanes, sharedState } from "./combine.ts";
import { finish } from "./finish.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { factor, momentsOf, shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import * as span from "./span.ts";
import type { Layout } from "./storage.ts";

const { name } = row;
const zero = k.f32(0);
const running = (model: ModelName): Value => name(`m_${model}`);

export function onlineKernel(
  pass: OnlinePass,
  fieldIndex: (field: string) => number,
  schedule: Layout,
): Kernel {
  const moments = momentsOf(pass.fields);
  const ties = pass.fields.flatMap((spec) => (spec.kind === "ties" ? [spec.model] : []));
  const lanes = schedule.vector;
  const body: Statement[] = [...row.openRow(pass.models, schedule)];

  // ---- each lane's own part of the row
  for (const model of pass.models) {
    body.push(
      k.varValue(running(model).code, k.f32(row.lowest)),
      k.varValue(`bad_${model}`, k.splat(k.u32(0), lanes)),
    );
  }
  for (const moment of moments) body.push(k.varValue(`lane_${moment.name}`, k.splat(zero, lanes)));
  for (const model of ties) body.push(k.varValue(`lane_ties_${model}`, k.splat(zero, lanes)));
  body.push(
    ...span.overRow(schedule, {
      shared: true,
      open: moments.map((moment) => k.varValue(`part_${moment.name}`, k.splat(zero, lanes))),
      visit: (positions, block) => blockBody(pass, moments, ties, schedule, positions, block),
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

  body.push(...combineLanes(pass.models, moments, ties, schedule));
  body.push(k.when(k.infix(row.lane, "==", k.u32(0)), finish(pass, moments, fieldIndex, schedule)));

  return {
    name: `read ${pass.models.join(" and ")} logits`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
      { name: "status", role: { kind: "status" }, access: "write", type: "atomic<u32>" },
    ],
    workgroup: schedule.rowLanes,
    shared: sharedState(pass.models, moments, ties, schedule),
    body,
    grid: "row",
  };
}

function blockBody(
  pass: OnlinePass,
  moments: readonly Moment[],
  ties: readonly ModelName[],
  schedule: Layout,
  positions: readonly Value[],
  block: span.Block,
): readonly Statement[] {
  const lanes = schedule.vector;
  const entry = (model: ModelName, j: number): Value => name(`z_${model}_${j}`, "f32", lanes);
  const x = (model: ModelName, j: number): Value => name(`x_${model}_${j}`, "f32", lanes);
  const e = (model: ModelName, j: number): Value => name(`e_${model}_${j}`, "f32", lanes);
  const out: Statement[] = [];
  for (const model of pass.models) {
    const isFirst = model === pass.models[0];
    out.push(...loadBlock(model, isFirst, entry, schedule, positions, block));
    const largest = span.tree(
      positions.map((_, j) => entry(model, j)),
      k.maximum,
    );
    const moved = moments.filter(({ powers }) => powers.some((power) => power.model === model));
    out.push(
      k.letValue(`top_${model}`, span.fold(largest, k.maximum)),
      k.when(k.infix(name(`top_${model}`), ">", running(model)), [
        k.letValue("shift", k.minus(running(model), name(`top_${model}`))),
        ...shiftInPlace(moved, moments, model, lanes, "lane"),
        ...shiftInPlace(moved, moments, model, lanes, "part"),
        ...(ties.includes(model) ? [k.assign(`lane_ties_${model}`, k.splat(zero, lanes))] : []),
        k.assign(running(model).code, name(`top_${model}`)),
      ]),
    );
    const needsExp = moments.some(({ powers }) =>
      powers.some((power) => power.model === model && power.d > 0),
    );
    positions.forEach((_, j) => {
      out.push(
        k.letValue(x(model, j).code, k.minus(entry(model, j), k.splat(running(model), lanes))),
      );
      if (needsExp) out.push(k.letValue(e(model, j).code, k.exp(x(model, j))));
    });
  }
  const add = (variable: string, terms: readonly Value[]): Statement =>
    k.assign(variable, k.plus(name(variable, "f32", lanes), span.tree(terms, k.plus)));
  for (const moment of moments) {
    const terms = positions.map((_, j) =>
      moment.powers
        .map((power) => factor(power, x(power.model, j), e(power.model, j)))
        .reduce(k.times),
    );
    out.push(add(`part_${moment.name}`, terms));
  }
  for (const model of ties) {
    const terms = positions.map((_, j) => {
      const same = k.infix(entry(model, j), "==", k.splat(running(model), lanes));
      return k.choose(same, k.splat(k.f32(1), lanes), k.splat(zero, lanes));
    });
    out.push(add(`lane_ties_${model}`, terms));
  }
  return out;
}

/** Loads a block of logits. NaN, ±Infinity and the label are rare, so a test of the block guards their handling. */
function loadBlock(
  model: ModelName,
  isFirst: boolean,
  entry: (model: ModelName, j: number) => Value,
  schedule: Layout,
  positions: readonly Value[],
  block: span.Block,
): readonly Statement[] {
  const lanes = schedule.vector;
  const bits = (j: number): Value => name(`bits_${model}_${j}`, "u32", lanes);
  const absent = k.splat(k.f32(row.absent), lanes);
  const bad = name(`bad_${model}`, "u32", lanes);
  const loadRow = (at: Value): Value => {
    const loaded = row.loadBits(model, at, row.logitsOf(model, schedule), schedule, isFirst);
    if (!block.shared) return loaded;
    // other rows may hold anything, NaN included
    const bitsOfAbsent = k.call("bitcast<vec4<u32>>", "u32", absent);
    return k.choose(span.isInside(at), loaded, bitsOfAbsent);
  };
  const magnitudes = positions.map((_, j) => row.magnitude(bits(j)));
  const special = k.infix(span.tree(magnitudes, k.maximum), ">=", k.splat(row.infinityBits, lanes));
  return [
    ...positions.flatMap((at, j) => [
      k.letValue(bits(j).code, loadRow(at)),
      k.varValue(entry(model, j).code, row.asReal(bits(j))),
    ]),
    k.when(
      k.value("bool", `any(${special.code})`),
      positions.flatMap((_, j) => {
        const isAbsent = row.isNegativeInfinity(bits(j));
        const worst = k.choose(isAbsent, k.splat(k.u32(0), lanes), row.magnitude(bits(j)));
        return [
          k.assign(bad.code, k.maximum(bad, worst)),
          k.assign(entry(model, j).code, k.choose(isAbsent, absent, entry(model, j))),
        ];
      }),
    ),
    k.when(
      span.labelInBlock(block, schedule),
      positions.map((at, j) =>
        k.assign(
          entry(model, j).code,
          k.choose(span.isLabelAt(at, schedule), absent, entry(model, j)),
        ),
      ),
    ),
  ];
}

/** Moves the reference point of one model by `shift` (new = old + shift in x) for the moments of a lane. */
function shiftInPlace(
  moments: readonly Moment[],
  family: readonly Moment[],
  model: ModelName,
  lanes: k.Lanes,
  prefix: string,
): readonly Statement[] {
  const own = (moment: Moment): Value => name(`${prefix}_${moment.name}`, "f32", lanes);
  const shifts = (other: ModelName): Value | null => (other === model ? name("shift") : null);
  // higher powers first: each uses lower ones before they are moved themselves
  const order = moments.toSorted((a, b) => degree(b) - degree(a));
  return order.map((moment) =>
    k.assign(own(moment).code, shiftMoment(moment, own, shifts, lanes, family)),
  );
}
const degree = (moment: Moment): number => moment.powers.reduce((sum, power) => sum + power.k, 0);
