// The explanation of a compiled objective as data: every pass of the compiler with what it rewrote, every
// kernel with what it reads, leaves and serves, the bytes against the floor, and what is not differentiated.
// text.ts turns it into text; `prefc explain --json` prints it as it is.

import type { Program } from "../pipeline/pipeline.ts";
import { topological } from "../core/node.ts";
import { printExpression } from "../core/print.ts";
import { kinksAtStart } from "../kinks/start.ts";
import type { ToldKink } from "../kinks/told.ts";
import {
  statisticsOf,
  trainerFits,
  type StatisticNeed,
  type TrainerFit,
} from "../seam/trainers.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { Planned } from "../pipeline/pipeline.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { directionBytes, roundsOf, type DirectionBytes, type StepBytes } from "./bytes.ts";
import { explainPasses, type PassExplanation } from "./passes.ts";
import { exactShape, type ExactShape, type LayoutKind, type Shape } from "./shape.ts";
import { describeStep, type Description } from "./steps.ts";
import { entryText, sourceTerms, type SourceTerm } from "./terms.ts";

export type { Shape } from "./shape.ts";
export type { SourceTerm } from "./terms.ts";
/** What is explained. */
export interface Subject {
  readonly program: Program;
  readonly plans: { readonly value: Planned; readonly valueAndGrad: Planned };
  readonly schedule: Schedule;
  /** Where the schedule comes from, in words. */
  readonly origin: string;
  /** Why a table of measured schedules cannot be used; null when nothing is wrong. */
  readonly problem: string | null;
  /** The adapter that the schedule was chosen for; null when a typical one was assumed. */
  readonly adapter: string | null;
}
/** One dispatch. */
export interface KernelExplanation extends Description {
  readonly name: string;
  readonly bytes: StepBytes;
  /** How often it is dispatched: where each response has a tensor of its own, once for each. */
  readonly runs: number;
}
/** A pass that the algebra could not avoid, and the term that forced it. */
export interface ExtraPass {
  readonly terms: readonly SourceTerm[];
  /** What is reduced at each entry: z.MODEL is a logit, slotI a value of the row that an earlier pass made. */
  readonly body: string;
  readonly round: number;
}
export interface DirectionExplanation extends Omit<DirectionBytes, "steps"> {
  readonly kernels: readonly KernelExplanation[];
  /** In the layout of the shape, where every tensor fits a binding. */
  readonly dispatches: number;
  /** The same in each layout. */
  readonly dispatchesByLayout: Readonly<Record<LayoutKind, number>>;
  readonly extraPasses: readonly ExtraPass[];
}
export interface Explanation {
  readonly objective: string;
  /** The loss on one line, abbreviated. */
  readonly loss: string;
  readonly shape: ExactShape;
  readonly adapter: string | null;
  readonly schedule: Schedule;
  /** Where the schedule comes from, in words: measured by prefc tune, by hand, or the default of the adapter. */
  readonly scheduleOrigin: string;
  /** Why a table of measured schedules cannot be used, in one sentence; null when nothing is wrong. */
  readonly scheduleProblem: string | null;
  readonly passes: readonly PassExplanation[];
  readonly value: DirectionExplanation;
  readonly valueAndGrad: DirectionExplanation;
  /** Inputs that the gradient is taken with respect to. */
  readonly differentiated: readonly string[];
  readonly notDifferentiated: {
    /** Terms under stopGrad, which are constants to the gradient. */
    readonly stopped: readonly SourceTerm[];
    /** Inputs that are data, or that the gradient does not reach. */
    readonly data: readonly string[];
  };
  /** What bends at the first step, where the policy is every other model, and which slope is taken there. */
  readonly kinks: readonly ToldKink[];
  /** Run-time parameters and their defaults; null where a value must be given. */
  readonly params: Readonly<Record<string, number | null>>;
  /** What a step takes from the one before and leaves for the next, with the values of the first step. */
  readonly state: Readonly<Record<string, number>>;
  /** What the objective, as it was written, needs of each row of each model, and which trainers hand that out. */
  readonly statistics: readonly StatisticNeed[];
  readonly trainers: readonly TrainerFit[];
  readonly metrics: readonly string[];
  /** Over what the loss and each metric are averaged, in words. */
  readonly averages: Readonly<Record<string, string>>;
  /** Metrics that need more of a model than the batch brings. */
  readonly dropped: readonly string[];
}

/** Explains a compiled objective for a shape. @throws PrefcError shape-size, shape-responses, unknown-dtype */
export function explain(
  { program, plans, schedule, origin, problem, adapter }: Subject,
  shape: Partial<Shape> = {},
): Explanation {
  const exact = exactShape(shape, program.responses);
  const differentiated = program.gradients.map(({ input }) => input.name);
  const statistics = statisticsOf(program.source);
  const scalars = (wanted: "param" | "state"): Readonly<Record<string, number | null>> =>
    Object.fromEntries(
      program.params
        .filter(({ kind }) => kind === wanted)
        .map(({ name, initial }) => [name, initial ?? null]),
    );
  const stops = topological([program.loss]).filter((node) => node.tag === "stop");
  return {
    objective: program.source.name,
    loss: printExpression(program.source.loss, 40),
    shape: exact,
    adapter,
    schedule,
    scheduleOrigin: origin,
    scheduleProblem: problem,
    passes: explainPasses([...program.passes, ...plans.value.passes, ...plans.valueAndGrad.passes]),
    value: explainDirection(program, "value", plans.value.plan, exact),
    valueAndGrad: explainDirection(program, "valueAndGrad", plans.valueAndGrad.plan, exact),
    differentiated,
    notDifferentiated: {
      stopped: sourceTerms(stops.map(({ args: [body] }) => body)),
      data: program.inputs
        .filter(({ name, dtype }) => dtype !== "i32" && !differentiated.includes(name))
        .map(({ name }) => name),
    },
    kinks: kinksAtStart(program),
    params: scalars("param"),
    state: scalars("state") as Readonly<Record<string, number>>,
    statistics,
    trainers: trainerFits(statistics),
    metrics: Object.keys(program.metrics),
    averages: Object.fromEntries(
      Object.entries(program.averages).map(([name, { over }]) => [name, over]),
    ),
    dropped: program.dropped,
  };
}

function explainDirection(
  program: Program,
  direction: "value" | "valueAndGrad",
  plan: Plan,
  shape: ExactShape,
): DirectionExplanation {
  const { steps: counted, ...bytes } = directionBytes(program, direction, plan, shape);
  const rounds = roundsOf(plan.steps);
  const lowered = program[direction];
  const runsOf = ({ pass }: Step, layout: LayoutKind): number =>
    pass === null || layout === "stacked" ? 1 : pass.responses.length;
  const dispatchesIn = (layout: LayoutKind): number =>
    plan.steps.reduce((sum, step) => sum + runsOf(step, layout), 0);
  const [stacked, separate] = [dispatchesIn("stacked"), dispatchesIn("separate")];
  const kernels = plan.steps.map((step, position) => ({
    name: step.kernel.name,
    ...describeStep(step, rounds[position]! >= lowered.stages.lastRound, program, plan),
    bytes: counted[position]!,
    runs: runsOf(step, shape.layout),
  }));
  const extraPasses = lowered.stages.passes.flatMap((pass) =>
    pass.kind === "total"
      ? [
          {
            terms: sourceTerms(pass.sources),
            body: `${pass.op}[vocab] ${entryText(pass.body)}`,
            round: pass.round,
          },
        ]
      : [],
  );
  const dispatchesByLayout = { stacked, separate };
  const dispatches = dispatchesByLayout[shape.layout];
  return { kernels, dispatches, dispatchesByLayout, extraPasses, ...bytes };
}
