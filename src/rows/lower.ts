// A row program as dispatches: the kernel of each step, and how much work it has.

import type { Kernel } from "../kernel/kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { orderKernel, reduceKernel } from "./collect.ts";
import { mapKernel } from "./maps.ts";
import { isNested } from "./owners.ts";
import type { RowProgram } from "./program.ts";
import { sumsOf, type RowSteps, type Step } from "./steps.ts";

/** What a dispatch of a row program is told, and what its workgroups are spread over. */
export interface Work {
  readonly step: Step;
  /** Tokens of all responses, responses of all examples, responses of lists, examples, or nothing but one. */
  readonly over: "token" | "item" | "listed" | "example" | "one";
  /** The first slot that is read, the first that is written, and how many. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Invocations for each token, response or example of each slot. */
  readonly lanes: number;
}
export interface RowDispatch {
  readonly kernel: Kernel;
  readonly work: Work;
}
export const lowerRows = (
  program: RowProgram,
  rows: RowSteps,
  schedule: Schedule,
): readonly RowDispatch[] => rows.steps.map((step) => lowered(step, program, rows, schedule));

function lowered(step: Step, program: RowProgram, rows: RowSteps, schedule: Schedule): RowDispatch {
  switch (step.kind) {
    case "map": {
      const { tokenLanes } = schedule;
      const spread =
        sumsOf(step).length > 0
          ? ({ over: isNested(step) ? "listed" : "item", lanes: tokenLanes } as const)
          : ({ over: step.over === "scalar" ? "one" : step.over, lanes: 1 } as const);
      const work = { step, ...spread, from: 0, to: 0, count: 1 };
      return { kernel: mapKernel(step, program, rows, schedule), work };
    }
    case "reduce": {
      const { from, to, count } = step;
      const work = { step, over: "one", from, to, count, lanes: schedule.programLanes } as const;
      return { kernel: reduceKernel(step, schedule), work };
    }
    case "order": {
      const { from, to } = step;
      const work = { step, over: "example", from, to, count: 1, lanes: 1 } as const;
      return { kernel: orderKernel(step, schedule), work };
    }
  }
}
