// The steps of a plan: a kernel, its text, and the pass over logits that it is for. A pass whose rows are split takes two.

import { fail } from "../core/error.ts";
import { onlineBlock } from "../block/passes.ts";
import { mergeKernel } from "../kernel/parts.ts";
import { onlineKernel } from "../kernel/online.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Layout } from "../kernel/storage.ts";
import type { GradientPass, OnlinePass, TotalPass } from "../stream/stages.ts";
import { verifyKernel } from "../kernel/verify.ts";
import type { Work } from "../rows/lower.ts";
import { printKernel } from "../wgsl/print.ts";

export type { Work };

export interface Shader {
  readonly kernel: Kernel;
  readonly wgsl: string;
}
export interface Step extends Shader {
  /** The pass over logits that this step is, or null for a step of a row program. */
  readonly pass: OnlinePass | TotalPass | GradientPass | null;
  /** What a step of a row program has to do; null for a pass. */
  readonly work: Work | null;
  /** The same step where it writes the gradient over the logits; null for all others and where it was not asked for. */
  readonly overLogits: Shader | null;
  /** Where workgroups share rows: words of accumulators for each row, which the step leaves, or merges. */
  readonly parts: { readonly words: number; readonly merges: boolean } | null;
}

/** Characters of one kernel: fifteen times those of the largest built-in one. Drivers take minutes for more, or fail. */
export const longestKernel = 500_000;

/** A kernel with its text. @throws PrefcError "kernel-too-large" */
export function printed(kernel: Kernel): Shader {
  const wgsl = printKernel(kernel);
  if (wgsl.length > longestKernel) {
    fail(
      "kernel-too-large",
      `The kernel "${kernel.name}" has more than the ${longestKernel} characters that drivers can be given; write the objective with fewer different terms along the vocabulary, or fewer operators one inside the other.`,
    );
  }
  verifyKernel(kernel);
  return { kernel, wgsl };
}

export const stepOf = (kernel: Kernel, pass: Step["pass"], work: Step["work"] = null): Step => ({
  ...printed(kernel),
  pass,
  work,
  overLogits: null,
  parts: null,
});

/** The dispatches of a running pass. */
export function onlineSteps(
  pass: OnlinePass,
  fieldIndex: (field: string) => number,
  layout: Layout,
): readonly Step[] {
  const block = onlineBlock(pass);
  const { kernel, partWords } = onlineKernel(block, fieldIndex, layout);
  const step = stepOf(kernel, pass);
  if (layout.split === 1) return [step];
  return [
    { ...step, parts: { words: partWords, merges: false } },
    {
      ...stepOf(mergeKernel(block, fieldIndex, layout), pass),
      parts: { words: partWords, merges: true },
    },
  ];
}
