// The last pass: reads a row of logits again and writes its gradient, one exponential per entry. Rows that no
// completion token uses get zeros, so that every row of the gradient is written exactly once. The label's
// entry was computed by the row program, where it does not cancel. In place, the logits are where the gradient goes:
// each lane reads a vector before it writes it, and no other lane reads that vector.

import type { ModelName } from "../core/inputs.ts";
import { fieldKey } from "../stream/fields.ts";
import type { GradientPass, GradientTerm } from "../stream/stages.ts";
import { atEntry } from "./entry.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { factor } from "./moment.ts";
import * as row from "./row.ts";
import { elementType, rowsOf, storeEntry, storeVector, type Layout, type Rows } from "./storage.ts";

const { name } = row;

export function gradientKernel(
  pass: GradientPass,
  fieldIndex: (field: string) => number,
  paramValue: (name: string) => Value,
  paramVectors: number,
  given: Layout,
  inPlace: boolean = false,
): Kernel {
  const general = pass.terms.some(({ opaque }) => opaque.length > 0);
  const schedule: Layout = general ? { ...given, vector: 1, unroll: 1 } : given;
  const lanes = schedule.vector;
  const names = { next: 0 };
  const read = (field: string): Value => k.load("rows", row.fieldAt(fieldIndex(field)), "f32");
  const base = row.baseOf(pass.of);
  const target = inPlace
    ? row.logitsOf(pass.of, schedule, true)
    : rowsOf("gradient", schedule.storage[pass.of], lanes, true);
  const write = (at: Value, v: Value): readonly Statement[] =>
    storeVector(target, k.plus(base, at), k.splat(v, lanes));
  const logits = (model: ModelName): Rows =>
    inPlace && model === pass.of ? target : row.logitsOf(model, schedule);
  const shifted = pass.models.filter((model) => pass.terms.some((term) => usesX(term, model)));

  const visit = (positions: readonly Value[]): readonly Statement[] => {
    const out: Statement[] = [];
    positions.forEach((at, j) => {
      for (const model of pass.models) {
        const z = name(`z_${model}_${j}`, "f32", lanes);
        out.push(k.letValue(z.code, row.finite(row.loadBits(model, at, logits(model)))));
        if (!shifted.includes(model)) continue;
        const x = name(`x_${model}_${j}`, "f32", lanes);
        out.push(k.letValue(x.code, k.minus(z, k.splat(name(`m_${model}`), lanes))));
        if (
          pass.terms.some(({ powers }) =>
            powers.some((power) => power.model === model && power.d > 0),
          )
        ) {
          out.push(k.letValue(`e_${model}_${j}`, k.exp(x)));
        }
      }
    });
    positions.forEach((at, j) => {
      const opaque = atEntry(
        pass.terms.flatMap((term) => term.opaque),
        {
          logit: (model) => name(`z_${model}_${j}`),
          slot: (position) => name(`slot_${position}`),
          param: paramValue,
          entry: at,
          label: row.label,
        },
        names,
      );
      out.push(...opaque.statements);
      let next = 0;
      const terms = pass.terms.map((term, position): Value => {
        const factors: Value[] = [k.splat(name(`c_${position}`), lanes)];
        for (const power of term.powers) {
          if (power.d !== 0 || power.k !== 0) {
            factors.push(
              factor(
                power,
                name(`x_${power.model}_${j}`, "f32", lanes),
                name(`e_${power.model}_${j}`, "f32", lanes),
              ),
            );
          }
        }
        for (const model of term.maximal) {
          const isTop = k.infix(
            name(`x_${model}_${j}`, "f32", lanes),
            "==",
            k.splat(k.f32(0), lanes),
          );
          factors.push(k.choose(isTop, k.splat(k.f32(1), lanes), k.splat(k.f32(0), lanes)));
        }
        for (const _ of term.opaque) factors.push(opaque.values[next++]!);
        const product = factors.reduce(k.times);
        if (term.opaque.length === 0) return product;
        // a response without this term has coefficient 0, and its slots may be outside the term's domain
        const absent = k.infix(name(`c_${position}`), "==", k.f32(0));
        return k.choose(absent, k.f32(0), product);
      });
      out.push(
        k.letValue(`g_${j}`, k.splat(terms.length === 0 ? k.f32(0) : terms.reduce(k.plus), lanes)),
      );
    });
    positions.forEach((at, j) => out.push(...write(at, name(`g_${j}`, "f32", lanes))));
    return out;
  };

  const zeros = row.overRow(schedule, {
    visit: (positions) => positions.flatMap((at) => write(at, k.f32(0))),
  });
  const body: Statement[] = [
    ...row.openRow(pass.models, schedule, zeros),
    ...shifted.map((model) => k.letValue(`m_${model}`, read(fieldKey({ kind: "maximum", model })))),
    ...pass.terms.map(({ slot }, position) => k.letValue(`c_${position}`, read(slot))),
    ...pass.opaqueSlots.map((slot, position) => k.letValue(`slot_${position}`, read(slot))),
    k.letValue("at_label", read(pass.atLabel)),
    ...row.overRow(schedule, { visit }),
    // by the lane that wrote the label's vector before, so that no barrier is needed
    k.when(
      k.infix(row.lane, "==", row.labelLane(schedule)),
      storeEntry(target, base, row.label, name("at_label")),
    ),
  ];
  return {
    name: `write the gradient ${inPlace ? "over" : "of"} ${pass.of} logits`,
    bindings: [
      ...row.rowBindings(pass.models, schedule, inPlace),
      { name: "rows", role: { kind: "rows" }, access: "read", type: "f32" },
      {
        name: target.buffer,
        role: { kind: "gradient", model: pass.of },
        access: "write",
        type: elementType(target),
      },
      {
        name: "params",
        role: { kind: "params" },
        access: "uniform",
        type: `array<vec4<f32>, ${paramVectors}>`,
      },
    ],
    workgroup: schedule.rowLanes,
    shared: [],
    body,
    grid: "row",
  };
}

const usesX = (term: GradientTerm, model: ModelName): boolean =>
  term.maximal.includes(model) ||
  term.powers.some((power) => power.model === model && (power.d !== 0 || power.k !== 0));
