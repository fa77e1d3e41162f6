// The plans of a compiled objective: one for each direction and each layout of kernels that was asked for. Which layout that is
// follows from the adapter, what was measured on it, what was given by hand, and the shape of the batch.

import { withConstants } from "../pipeline/constants.ts";
import { compilePlan, type Planned, type Program } from "../pipeline/pipeline.ts";
import type { StorageType } from "../core/storage.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";
import type { Layout } from "../kernel/storage.ts";
import type { Device } from "../runtime/device/device.ts";
import { tunedOn } from "../runtime/device/traits.ts";
import { modelsRead } from "../runtime/run/stored.ts";
import { scheduler, type ChosenSchedule } from "../schedule/choose.ts";
import {
  forWidths,
  singleEntries,
  type Schedule,
  type ScheduleOptions,
} from "../schedule/schedule.ts";
import type { TunedShape } from "../schedule/tuning.ts";

export type Direction = "value" | "valueAndGrad";

/** What of a batch decides how kernels are laid out. */
export interface BatchShape {
  readonly vocab: number;
  readonly rows: number;
  /** The storage type of each model's logits. */
  readonly storage: Layout["storage"];
  /** The vocabulary of each tensor. */
  readonly widths: readonly number[];
  /** Whether every buffer has room for the last vector of its tensor. */
  readonly wholeVectors: boolean;
  readonly inPlace: boolean;
  /** Whether the metrics of each example are wanted. */
  readonly withEach: boolean;
}
export interface Plans {
  readonly chosen: (shape: TunedShape) => ChosenSchedule;
  readonly forBatch: (direction: Direction, shape: BatchShape) => Planned;
  /** For a shape that is only described: logits of one vocabulary and one type, in whole vectors. */
  readonly plain: (
    direction: Direction,
    vocab: number,
    dtype?: StorageType,
    rows?: number,
  ) => Planned;
}

export function plansOf(
  objective: Objective,
  program: Program,
  device: Device | undefined,
  options: ScheduleOptions | undefined,
): Plans {
  const plans = new Map<string, Planned>();
  const chosen = scheduler(tunedOn(device), options);
  const written = writtenRoots(objective);
  const planFor = (
    direction: Direction,
    schedule: Schedule,
    storage: Layout["storage"],
    inPlace: boolean,
    withEach: boolean,
  ): Planned => {
    const layout: Layout = { ...schedule, storage };
    const key = JSON.stringify([direction, layout, inPlace, withEach]);
    const known = plans.get(key);
    if (known !== undefined) return known;
    const made = withConstants(objective.name, written, () =>
      compilePlan(program, direction, layout, inPlace, withEach),
    );
    plans.set(key, made);
    return made;
  };
  const models = program.inputs.flatMap(({ datum }) =>
    datum.kind === "logits" ? [datum.model] : [],
  );
  return {
    chosen,
    forBatch: (direction, { vocab, rows, storage, widths, wholeVectors, inPlace, withEach }) => {
      const usual = chosen({ vocab, rows, dtype: storage["policy"]! }).schedule;
      const fitting = forWidths(usual, widths);
      const schedule = wholeVectors ? fitting : singleEntries(fitting);
      return planFor(direction, schedule, storage, inPlace, withEach);
    },
    plain: (direction, vocab, dtype = "f32", rows = Infinity) => {
      const { schedule } = chosen({ vocab, rows, dtype });
      const storage = Object.fromEntries(modelsRead(models).map((model) => [model, dtype]));
      return planFor(direction, schedule, storage, false, false);
    },
  };
}
