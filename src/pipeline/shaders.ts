// The last passes: from the stages of a direction to shaders, for one layout of kernels. Every value has its place before any
// kernel is made.

import type { Layout } from "../kernel/storage.ts";
import { layOut, type Inputs, type ValueLayout } from "../plan/layout.ts";
import { planOf, type Plan } from "../plan/plan.ts";
import { checkLength, printed, verifyStep, type KernelStep, type Step } from "../plan/steps.ts";
import { verifyLayout } from "../plan/verify.ts";
import type { Lowered } from "./direction.ts";
import { kernelsOf } from "./kernels.ts";
import type { Pass } from "./pass.ts";
import { kernelsSizes, layoutSizes, shadersSizes, tasksSizes } from "./sizes.ts";
import { tasksOf, verifyTasks, type Tasks } from "./tasks.ts";

/** What kernels are made of, and how they are to be laid out. */
export interface Asked {
  readonly lowered: Lowered;
  readonly given: Inputs;
  readonly layout: Layout;
  /** Whether gradients may be asked for in the place of their logits. */
  readonly inPlace: boolean;
}
export interface LaidOut extends Asked {
  readonly laid: ValueLayout;
}
export interface Cut extends LaidOut {
  readonly tasks: Tasks;
}
export interface Kernels extends Cut {
  readonly kernels: readonly KernelStep[];
}
export interface Shaders extends Kernels {
  readonly steps: readonly Step[];
}

/** A place in a buffer for every value that kernels hand to each other. */
export const layOutValues: Pass<Asked, LaidOut> = {
  name: "lay out values",
  run: (asked) => ({ ...asked, laid: layOut(asked.lowered, asked.given) }),
  sizes: ({ laid }) => layoutSizes(laid),
  verify: ({ laid, lowered }) => verifyLayout(laid, lowered.stages),
};

/** Passes over blocks of entries, and row programs as data-parallel steps. */
export const lowerToSteps: Pass<LaidOut, Cut> = {
  name: "lower to blocks and steps",
  run: (made) => ({
    ...made,
    tasks: tasksOf(made.lowered, made.given.responses, made.laid, made.inPlace),
  }),
  sizes: ({ tasks: { tasks } }) => tasksSizes(tasks),
  verify: ({ tasks: { tasks } }) => verifyTasks(tasks),
};

/** Lanes, vectors, loops and barriers. */
export const lowerToKernels: Pass<Cut, Kernels> = {
  name: "lower to kernels",
  run: (made) => ({ ...made, kernels: kernelsOf(made.tasks.tasks, made.laid, made.layout) }),
  sizes: ({ kernels }) => kernelsSizes(kernels),
  verify: ({ kernels }) => kernels.forEach(verifyStep),
};

/** The text of the target language. */
export const printShaders: Pass<Kernels, Shaders> = {
  name: "print",
  run: (made) => ({ ...made, steps: made.kernels.map(printed) }),
  sizes: ({ steps }) => shadersSizes(steps),
  verify: ({ steps }) => steps.forEach(checkLength),
};

export const planned = ({ given, layout, laid, tasks, steps }: Shaders): Plan =>
  planOf(given, layout, laid, tasks, steps);
