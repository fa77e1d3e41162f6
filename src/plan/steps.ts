// The steps of a plan: a kernel, the pass over logits or the step of a row program that it is for, and its text.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { limits, sharedBytes, verifyKernel } from "../kernel/verify.ts";
import type { Work } from "../rows/lower.ts";
import type { GradientPass, OnlinePass, TotalPass } from "../stream/stages.ts";
import { printKernel } from "../wgsl/print.ts";

export type { Work };

export interface KernelStep {
  readonly kernel: Kernel;
  /** The pass over logits that this step is, or null for a step of a row program. */
  readonly pass: OnlinePass | TotalPass | GradientPass | null;
  /** What a step of a row program has to do; null for a pass. */
  readonly work: Work | null;
  /** The same step where it writes the gradient over the logits; null for all others and where it was not asked for. */
  readonly overLogits: Kernel | null;
  /** Where workgroups share rows: words of accumulators for each row, which the step leaves, or merges. */
  readonly parts: { readonly words: number; readonly merges: boolean } | null;
}
export interface Shader {
  readonly kernel: Kernel;
  readonly wgsl: string;
}
export interface Step extends Omit<KernelStep, "overLogits">, Shader {
  readonly overLogits: Shader | null;
}

/** Characters of one kernel: fifteen times those of the largest built-in one. Drivers take minutes for more, or fail. */
export const longestKernel = 500_000;

const shader = (kernel: Kernel): Shader => ({ kernel, wgsl: printKernel(kernel) });

export const printed = (step: KernelStep): Step => ({
  ...step,
  ...shader(step.kernel),
  overLogits: step.overLogits === null ? null : shader(step.overLogits),
});

/** @throws PrefcError "kernel-too-large", "kernel-ill-formed" */
export function verifyStep({ kernel: own, overLogits }: KernelStep): void {
  for (const kernel of overLogits === null ? [own] : [own, overLogits]) {
    const bytes = sharedBytes(kernel);
    if (bytes > limits.sharedBytes)
      tooLarge(kernel, `shares ${bytes} bytes in a workgroup, more than the ${limits.sharedBytes}`);
    verifyKernel(kernel);
  }
}

/** @throws PrefcError "kernel-too-large" */
export function checkLength({ overLogits, ...step }: Step): void {
  for (const { kernel, wgsl } of overLogits === null ? [step] : [step, overLogits]) {
    if (wgsl.length > longestKernel)
      tooLarge(kernel, `has more than the ${longestKernel} characters`);
  }
}

const tooLarge = (kernel: Kernel, what: string): never =>
  fail(
    "kernel-too-large",
    `The kernel ${cite(kernel.name)} ${what} that drivers can be given; write the objective with fewer different terms along the vocabulary, or fewer operators one inside the other.`,
  );
