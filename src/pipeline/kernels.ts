// The kernels of a plan: those of a pass, of which there are two where workgroups share rows, and those of a row program.

import type { BlockPass } from "../block/block.ts";
import { gradientKernel } from "../kernel/gradient.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { onlineKernel } from "../kernel/online.ts";
import { mergeKernel } from "../kernel/parts.ts";
import type { Layout } from "../kernel/storage.ts";
import { totalKernel } from "../kernel/total.ts";
import { lowerRows } from "../rows/lower.ts";
import type { ValueLayout } from "../plan/layout.ts";
import type { KernelStep } from "../plan/steps.ts";
import type { Task } from "./tasks.ts";

export const kernelsOf = (
  tasks: readonly Task[],
  laid: ValueLayout,
  layout: Layout,
): readonly KernelStep[] => tasks.flatMap((task) => kernelsOfTask(task, laid, layout));

function kernelsOfTask(task: Task, laid: ValueLayout, layout: Layout): readonly KernelStep[] {
  if (task.kind === "rows") {
    return lowerRows(task.program, task.rows, layout).map(({ kernel, work }) => ({
      ...alone(kernel, null),
      work,
    }));
  }
  const { pass, block, overLogits } = task;
  const { fieldIndex, paramSlot, paramVectors } = laid;
  const paramValue = (name: string): k.Value => k.param(paramSlot(name), "f32");
  switch (pass.kind) {
    case "online": {
      const { kernel, partWords: words } = onlineKernel(block, fieldIndex, layout);
      const step = alone(kernel, pass);
      if (layout.split === 1) return [step];
      const merge = alone(mergeKernel(block, fieldIndex, layout), pass);
      return [
        { ...step, parts: { words, merges: false } },
        { ...merge, parts: { words, merges: true } },
      ];
    }
    case "total":
      return [alone(totalKernel(block, fieldIndex, paramValue, paramVectors, layout), pass)];
    case "gradient": {
      const made = (over: boolean, one: BlockPass): Kernel =>
        gradientKernel(one, fieldIndex, paramValue, paramVectors, layout, over);
      const over = overLogits === null ? null : made(true, overLogits);
      return [{ ...alone(made(false, block), pass), overLogits: over }];
    }
  }
}

const alone = (kernel: Kernel, pass: KernelStep["pass"]): KernelStep => ({
  kernel,
  pass,
  work: null,
  overLogits: null,
  parts: null,
});
