// The running pass: one read of a row of logits leaves every field that the algebra asked for. The state is
// a running maximum m over the entries other than the label, and moments Σ_v Π e^{d(z−m)} (z−m)^k; moving m
// by δ acts linearly on the moments, so lanes may be combined in any order. The label's entry is added last,
// which keeps sums such as Σ_{v≠y} e^{z_v − z_y} exact where the label has almost all the probability.

import type { ModelName } from "../core/inputs.ts";
import { fieldKey, modelsOf, type FieldSpec, type ModelPower } from "../stream/fields.ts";
import type { OnlinePass } from "../stream/stages.ts";
import * as k from "./kernel.ts";
import type { Kernel, Shared, Statement, Value } from "./kernel.ts";
import { momentKey, shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import type { Schedule } from "./schedule.ts";

const { name } = row;
const zero = k.f32(0);
const running = (model: ModelName): Value => name(`m_${model}`);
const badness = (model: ModelName): string => `bad_${model}`;
const tiesName = (model: ModelName): string => `ties_${model}`;

export function onlineKernel(
  pass: OnlinePass,
  fieldIndex: (field: string) => number,
  schedule: Schedule,
): Kernel {
  const moments = momentsOf(pass.fields);
  const ties = pass.fields.flatMap((spec) => (spec.kind === "ties" ? [spec.model] : []));
  const lanes = schedule.vector;
  const shared: Shared[] = [];
  const share = (text: string, type: k.Scalar): string => {
    const sharedName = `shared_${text}`;
    shared.push({ name: sharedName, type, length: schedule.rowLanes });
    return sharedName;
  };
  const body: Statement[] = [...row.openRow(pass.models, schedule)];

  // ---- each lane's own part of the row
  for (const model of pass.models) {
    body.push(
      k.varValue(running(model).code, k.f32(row.lowest)),
      k.varValue(badness(model), k.splat(k.u32(0), lanes)),
    );
  }
  for (const moment of moments) body.push(k.varValue(`lane_${moment.name}`, k.splat(zero, lanes)));
  for (const model of ties) body.push(k.varValue(`lane_${tiesName(model)}`, k.splat(zero, lanes)));
  body.push(
    ...row.overRow(schedule, (positions, block) =>
      blockBody(pass, moments, ties, schedule, positions, block),
    ),
  );
  for (const moment of moments) {
    body.push(k.varValue(moment.name, row.fold(name(`lane_${moment.name}`, "f32", lanes), k.plus)));
  }
  for (const model of ties)
    body.push(
      k.varValue(tiesName(model), row.fold(name(`lane_${tiesName(model)}`, "f32", lanes), k.plus)),
    );

  // ---- combine lanes: a tree over workgroup memory
  const state = [
    ...pass.models.map((model) => ({ own: `m_${model}`, type: "f32" as const })),
    ...pass.models.map((model) => ({ own: `worst_${model}`, type: "u32" as const })),
    ...moments.map((moment) => ({ own: moment.name, type: "f32" as const })),
    ...ties.map((model) => ({ own: tiesName(model), type: "f32" as const })),
  ];
  for (const model of pass.models) {
    body.push(
      k.varValue(`worst_${model}`, row.fold(name(badness(model), "u32", lanes), k.maximum)),
    );
  }
  for (const { own, type } of state)
    body.push(k.assign(`${share(own, type)}[lane]`, name(own, type)));
  body.push(k.barrier);
  for (let half = schedule.rowLanes / 2; half >= 1; half /= 2) {
    const other = (text: string, type: k.Scalar = "f32"): Value =>
      k.load(`shared_${text}`, k.plus(row.lane, k.u32(half)), type);
    const merged: Statement[] = [];
    for (const model of pass.models) {
      const m = running(model);
      merged.push(
        k.letValue(`other_${m.code}`, other(m.code)),
        k.letValue(`new_${m.code}`, k.maximum(m, name(`other_${m.code}`))),
        k.letValue(`own_shift_${model}`, k.minus(m, name(`new_${m.code}`))),
        k.letValue(`other_shift_${model}`, k.minus(name(`other_${m.code}`), name(`new_${m.code}`))),
        k.assign(
          `worst_${model}`,
          k.maximum(name(`worst_${model}`, "u32"), other(`worst_${model}`, "u32")),
        ),
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
      merged.push(k.letValue(`new_${moment.name}`, k.plus(own, theirs)));
    }
    for (const model of ties) {
      const kept = (shift: string, amount: Value): Value =>
        k.choose(k.infix(name(shift), "==", zero), amount, zero);
      merged.push(
        k.assign(
          tiesName(model),
          k.plus(
            kept(`own_shift_${model}`, name(tiesName(model))),
            kept(`other_shift_${model}`, other(tiesName(model))),
          ),
        ),
      );
    }
    for (const moment of moments) merged.push(k.assign(moment.name, name(`new_${moment.name}`)));
    for (const model of pass.models) merged.push(k.assign(`m_${model}`, name(`new_m_${model}`)));
    for (const { own, type } of state)
      merged.push(k.assign(`shared_${own}[lane]`, name(own, type)));
    body.push(k.when(k.infix(row.lane, "<", k.u32(half)), merged), k.barrier);
  }
  body.push(k.when(k.infix(row.lane, "==", k.u32(0)), finish(pass, moments, fieldIndex, schedule)));

  return {
    name: `read ${pass.models.join(" and ")} logits`,
    bindings: [
      ...row.rowBindings(pass.models, schedule),
      { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
      { name: "status", role: { kind: "status" }, access: "write", type: "atomic<u32>" },
    ],
    workgroup: schedule.rowLanes,
    shared,
    body,
    grid: "row",
  };
}

/** The moments that must be kept: those asked for, and the lower powers that shifting them mixes in. */
function momentsOf(fields: readonly FieldSpec[]): readonly Moment[] {
  const wanted = new Map<string, Moment>();
  const add = (powers: readonly ModelPower[]): void => {
    const named = powers.filter(({ d, k: power }) => d !== 0 || power !== 0);
    const key = momentKey(named);
    if (named.length === 0 || wanted.has(key)) return;
    wanted.set(key, { name: `s${wanted.size}`, powers: named });
    named.forEach((power, position) => {
      if (power.k > 0)
        add(named.map((other, i) => (i === position ? { ...other, k: other.k - 1 } : other)));
    });
  };
  for (const spec of fields) {
    if (spec.kind === "excess") add([{ model: spec.model, d: spec.d, k: 0 }]);
    if (spec.kind === "moment") add(spec.powers);
  }
  return [...wanted.values()];
}

function blockBody(
  pass: OnlinePass,
  moments: readonly Moment[],
  ties: readonly ModelName[],
  schedule: Schedule,
  positions: readonly Value[],
  block: row.Block,
): readonly Statement[] {
  const lanes = schedule.vector;
  const out: Statement[] = [];
  const entry = (model: ModelName, j: number): Value => name(`z_${model}_${j}`, "f32", lanes);
  for (const model of pass.models) {
    positions.forEach((at, j) => {
      const bits = name(`bits_${model}_${j}`, "u32", lanes);
      out.push(
        k.letValue(bits.code, row.finiteBits(row.loadBits(model, at, schedule))),
        k.assign(
          badness(model),
          k.maximum(name(badness(model), "u32", lanes), row.magnitude(bits)),
        ),
        k.varValue(entry(model, j).code, row.asReal(bits)),
      );
    });
    const patches = positions.map((at, j) =>
      k.assign(
        entry(model, j).code,
        k.choose(row.isLabelAt(at, schedule), k.splat(k.f32(row.absent), lanes), entry(model, j)),
      ),
    );
    out.push(k.when(row.labelInBlock(block, schedule), patches));
    const largest = positions.map((_, j) => entry(model, j)).reduce(k.maximum);
    out.push(k.letValue(`top_${model}`, row.fold(largest, k.maximum)));
    const moved = moments.filter(({ powers }) => powers.some((power) => power.model === model));
    out.push(
      k.when(k.infix(name(`top_${model}`), ">", running(model)), [
        k.letValue("shift", k.minus(running(model), name(`top_${model}`))),
        ...shiftInPlace(moved, moments, model, lanes),
        ...(ties.includes(model)
          ? [k.assign(`lane_${tiesName(model)}`, k.splat(zero, lanes))]
          : []),
        k.assign(running(model).code, name(`top_${model}`)),
      ]),
    );
  }
  positions.forEach((_, j) => {
    for (const model of pass.models) {
      const x = name(`x_${model}_${j}`, "f32", lanes);
      out.push(k.letValue(x.code, k.minus(entry(model, j), k.splat(running(model), lanes))));
      if (
        moments.some(({ powers }) => powers.some((power) => power.model === model && power.d > 0))
      ) {
        out.push(k.letValue(`e_${model}_${j}`, k.exp(x)));
      }
    }
    for (const moment of moments) {
      const term = moment.powers
        .map((power) =>
          factor(
            power,
            name(`x_${power.model}_${j}`, "f32", lanes),
            name(`e_${power.model}_${j}`, "f32", lanes),
          ),
        )
        .reduce(k.times);
      out.push(
        k.assign(`lane_${moment.name}`, k.plus(name(`lane_${moment.name}`, "f32", lanes), term)),
      );
    }
    for (const model of ties) {
      const same = k.infix(entry(model, j), "==", k.splat(running(model), lanes));
      const one = k.choose(same, k.splat(k.f32(1), lanes), k.splat(zero, lanes));
      out.push(
        k.assign(
          `lane_${tiesName(model)}`,
          k.plus(name(`lane_${tiesName(model)}`, "f32", lanes), one),
        ),
      );
    }
  });
  return out;
}

/** e^{d·x} x^k; a whole d multiplies e^x by itself, and x is bounded so that 0 · x^k stays 0. */
export function factor(power: ModelPower, x: Value, e: Value): Value {
  const parts: Value[] = [];
  if (Number.isInteger(power.d)) for (let i = 0; i < power.d; i++) parts.push(e);
  else parts.push(k.exp(k.times(k.splat(k.f32(power.d), x.lanes), x)));
  const bound = k.splat(k.f32(-(10 ** Math.floor(30 / Math.max(power.k, 1)))), x.lanes);
  const bounded = power.k > 1 ? k.maximum(x, bound) : x;
  for (let i = 0; i < power.k; i++) parts.push(bounded);
  return parts.reduce(k.times);
}

/** Moves the reference point of one model by `shift` (new = old + shift in x) for the moments of a lane. */
function shiftInPlace(
  moments: readonly Moment[],
  family: readonly Moment[],
  model: ModelName,
  lanes: k.Lanes,
): readonly Statement[] {
  const lane = (moment: Moment): Value => name(`lane_${moment.name}`, "f32", lanes);
  const shifts = (other: ModelName): Value | null => (other === model ? name("shift") : null);
  // higher powers first: each uses lower ones before they are moved themselves
  const order = moments.toSorted((a, b) => degree(b) - degree(a));
  return order.map((moment) =>
    k.assign(lane(moment).code, shiftMoment(moment, lane, shifts, lanes, family)),
  );
}
const degree = (moment: Moment): number => moment.powers.reduce((sum, power) => sum + power.k, 0);

/** Adds the label's entry, reports bad logits, and writes the fields. */
function finish(
  pass: OnlinePass,
  moments: readonly Moment[],
  fieldIndex: (field: string) => number,
  schedule: Schedule,
): readonly Statement[] {
  const out: Statement[] = [];
  for (const model of pass.models) {
    const raw = name(`label_bits_${model}`, "u32");
    const isAbsent = k.infix(raw, "==", k.u32(0xff800000));
    // status holds 0xffffffff − token, so that 0 means none and the largest value is the first token
    const token = k.minus(k.u32(0xffffffff), row.token);
    const position = model === "policy" ? 0 : 2;
    out.push(
      k.letValue(raw.code, row.loadOne(model, row.label, schedule)),
      k.when(k.infix(name(`worst_${model}`, "u32"), ">=", row.infinityBits), [
        { kind: "call", code: `atomicMax(&status[${position}], ${token.code})` },
      ]),
      k.when(isAbsent, [
        { kind: "call", code: `atomicMax(&status[${position + 1}], ${token.code})` },
      ]),
      k.letValue(`z_label_${model}`, row.asReal(row.finiteBits(raw))),
      k.letValue(`top_${model}`, k.maximum(running(model), name(`z_label_${model}`))),
      k.letValue(`shift_${model}`, k.minus(running(model), name(`top_${model}`))),
      k.letValue(`x_label_${model}`, k.minus(name(`z_label_${model}`), name(`top_${model}`))),
      k.letValue(`e_label_${model}`, k.exp(name(`x_label_${model}`))),
    );
  }
  const others = (powers: readonly ModelPower[]): Value => {
    const moment = moments.find((candidate) => momentKey(candidate.powers) === momentKey(powers))!;
    return shiftMoment(
      moment,
      (lower) => name(lower.name),
      (model) => name(`shift_${model}`),
      1,
      moments,
    );
  };
  for (const spec of pass.fields) {
    const target = `rows[${row.fieldAt(fieldIndex(fieldKey(spec))).code}]`;
    out.push(k.assign(target, fieldValue(spec, others)));
  }
  return out;
}

function fieldValue(spec: FieldSpec, others: (powers: readonly ModelPower[]) => Value): Value {
  const [model] = modelsOf(spec) as readonly [ModelName];
  const x = (of: ModelName): Value => name(`x_label_${of}`);
  const e = (of: ModelName): Value => name(`e_label_${of}`);
  switch (spec.kind) {
    case "maximum":
      return name(`top_${model}`);
    case "label":
      return x(model);
    case "excess": {
      const power = { model, d: spec.d, k: 0 };
      // when the label is the maximum its 1 is left out, otherwise the 1 of the maximum is taken away
      const rest = others([power]);
      const isTop = k.infix(x(model), "==", zero);
      return k.choose(
        isTop,
        rest,
        k.plus(k.minus(rest, k.f32(1)), factor(power, x(model), e(model))),
      );
    }
    case "moment":
      return k.plus(
        others(spec.powers),
        spec.powers.map((power) => factor(power, x(power.model), e(power.model))).reduce(k.times),
      );
    case "ties": {
      const isTop = k.choose(k.infix(x(model), "==", zero), k.f32(1), zero);
      const kept = k.choose(
        k.infix(name(`shift_${model}`), "==", zero),
        name(tiesName(model)),
        zero,
      );
      return k.plus(kept, isTop);
    }
    case "total":
      return zero;
  }
}
