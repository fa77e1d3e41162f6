// The last pass: reads a row of logits again and writes its gradient, one exponential per entry. Rows that no
// completion token uses get zeros, so that every row of the gradient is written exactly once. The label's
// entry was computed by the row program, where it does not cancel. In place, the logits are where the gradient goes:
// each lane reads a vector before it writes it, and no other lane reads that vector.

import type { BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import { oneByOne, type Schedule } from "../schedule/schedule.ts";
import { sharedVector } from "./boundary.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Kernel, Statement, Value } from "./kernel.ts";
import { openReport, reportRow, watch } from "./range.ts";
import * as row from "./row.ts";
import { isLabelsLane, overRow } from "./span.ts";
import {
  inPairs,
  rowsOf,
  storeEntry,
  storePair,
  storeVector,
  type Layout,
  type Rows,
} from "./storage.ts";
import { atLabel, openEntry, openGiven, writtenAt, writtenValue } from "./terms.ts";

export function gradientKernel(
  pass: BlockPass,
  fieldIndex: (field: string) => number,
  paramValue: (name: string) => Value,
  paramVectors: number,
  given: Layout,
  inPlace: boolean = false,
): Kernel {
  const { model: of, source, atLabel: labelField } = pass.write!;
  const general = pass.opaque.length > 0;
  const own = { ...given, ...given.gradient };
  const schedule = general ? oneByOne(own) : own;
  const lanes = schedule.vector;
  const names = { next: 0 };
  const base = row.baseOf(of);
  const role = { kind: "gradient", model: of } as const;
  const target = inPlace
    ? row.logitsOf(of, schedule, true)
    : rowsOf("gradient", role, schedule.storage[of]!, lanes, true, inPairs(schedule));
  const pairs = target.paired;
  const write = (positions: readonly Value[], of: (j: number) => Value): readonly Statement[] =>
    positions.flatMap((at, j) => {
      const index = k.plus(base, at);
      if (!pairs) return storeVector(target, index, k.splat(of(j), lanes));
      if (j % 2 === 1) return [];
      return storePair(target, index, [k.splat(of(j), lanes), k.splat(of(j + 1), lanes)]);
    });
  const logits = (model: ModelName): Rows =>
    inPlace && model === of ? target : row.logitsOf(model, schedule);
  const visit = (positions: readonly Value[]): readonly Statement[] => {
    const { loads, bits } = row.loadBlock(pass.models, positions, schedule, logits);
    return [
      ...loads,
      ...positions.flatMap((_, j) => openEntry(pass, j, lanes, (model) => bits(model, j))),
      ...positions.flatMap((entry, j) =>
        writtenValue(pass, { j, lanes, entry }, paramValue, names),
      ),
      ...watch(pass, target.dtype, positions.length, lanes),
      ...write(positions, (j) => writtenAt(j, lanes)),
    ];
  };
  const zeros = overRow(schedule, {
    pairs,
    visit: (positions) => write(positions, () => k.f32(0)),
  });
  const ends = sharedVector(pass, fieldIndex, paramValue, schedule, logits, target);
  const body: Statement[] = [
    ...row.openRow(pass.models, schedule, k.about(source, zeros), k.about(source, ends)),
    ...openGiven(pass, fieldIndex),
    ...k.about(source, [
      ...openReport(pass, target.dtype),
      ...overRow(schedule, { pairs, visit }),
      ...reportRow(pass, target.dtype),
    ]),
    ...k.about(meaning.slotOf(labelField), writeLabel(target, base, schedule)),
  ];
  return {
    name: pass.name,
    bindings: [
      ...row.rowBindings(pass.models, schedule, inPlace),
      buffers.reads(buffers.rows),
      { ...buffers.writes(target.buffer), role },
      buffers.writes(buffers.status),
      buffers.paramsBinding(paramVectors),
    ],
    workgroup: schedule.rowLanes * schedule.groupRows,
    shared: [],
    body,
    grid: "row",
    rows: schedule.groupRows,
    parts: schedule.split,
  };
}

/** By the lane that wrote the label's vector before, so that no barrier is needed. */
function writeLabel(target: Rows, base: Value, schedule: Schedule): readonly Statement[] {
  const own = isLabelsLane(schedule, target.paired);
  if (schedule.aligned) return [k.when(own, storeEntry(target, base, row.label, atLabel))];
  // modulo 2^32, an entry before the first whole vector lies behind the last one
  const place = k.minus(row.label, row.lead);
  const whole = k.infix(place, "<", k.times(row.width, k.u32(4)));
  return [k.when(k.infix(whole, "&&", own), storeEntry(target, base, place, atLabel))];
}
