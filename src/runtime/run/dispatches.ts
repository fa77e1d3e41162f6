// The dispatches of a run: each step of the plan, once for each group of tensors and each window of rows that
// fits a binding; and the logits tensors they read and write. No device is touched here.

import type { Batch, LogitsTensor } from "../../batch/batch.ts";
import { vocabOf } from "../../batch/logits.ts";
import type { ModelName } from "../../core/inputs.ts";
import { noToken, otherDispatch, type Kernel } from "../../kernel/kernel.ts";
import type { Plan, Step, Work } from "../../plan/plan.ts";
import { jointWindows, type Partner } from "./joint.ts";
import { rowGroups, type RowGroup, type Stacked, type Window } from "./stack.ts";

export interface Dispatch {
  /** Position of the step in the plan. */
  readonly index: number;
  readonly step: Step;
  readonly kernel: Kernel;
  readonly wgsl: string;
  /** The tensors of a pass, or null for a step of a row program. */
  readonly group: RowGroup | null;
  /** The rows of a pass, or the workgroups of a step of a row program. */
  readonly window: Window;
  /** What is read of the group's further tensors. */
  readonly partners: readonly Partner[];
}
export interface BindingLimits {
  /** Largest binding in bytes. */
  readonly maxBinding: number;
  /** Every binding's offset is a multiple of this. */
  readonly alignment: number;
}

/** @param inPlace whether the gradient of a tensor is written over its logits */
export function listDispatches(
  plan: Plan,
  batch: Batch,
  stacked: Stacked,
  limits: BindingLimits,
  inPlace: (tensor: LogitsTensor) => boolean = () => false,
): readonly Dispatch[] {
  const zeroed = new Set<unknown>();
  return plan.steps.flatMap((step, index): readonly Dispatch[] => {
    const { kernel, wgsl, pass, work } = step;
    if (pass === null) {
      const window = { firstRow: 0, rows: workgroups(work!, kernel, batch, stacked) };
      return [{ index, step, kernel, wgsl, group: null, window, partners: [] }];
    }
    const elsewhere = writtenElsewhere(plan, step);
    const groups = rowGroups(batch, stacked, plan, pass.models, pass.responses, elsewhere);
    return groups.flatMap((found) => {
      const { tensor } = found.tensors[0]!;
      const isGradient = pass.kind === "gradient";
      const group = isGradient && zeroed.has(tensor.data) ? withoutZeros(found) : found;
      if (isGradient) zeroed.add(tensor.data);
      const shader = isGradient && inPlace(tensor) ? step.overLogits! : { kernel, wgsl };
      return jointWindows(group, vocabOf(group.tensors[0]!.tensor, batch), limits).map((cut) => ({
        index,
        step,
        ...shader,
        group,
        ...cut,
      }));
    });
  });
}

/** Workgroups of a step of a row program. */
function workgroups(work: Work, { workgroup }: Kernel, batch: Batch, stacked: Stacked): number {
  const places = {
    token: stacked.tokens,
    item: stacked.singles * batch.examples,
    listed: stacked.listed,
    example: batch.examples,
    one: 1,
  };
  return Math.max(1, Math.ceil((places[work.over] * work.count * work.lanes) / workgroup));
}

/** The rows that no token uses are left to the first dispatch that writes the tensor. */
const withoutZeros = (group: RowGroup): RowGroup => ({
  ...group,
  tokenOf: group.tokenOf.map((token) => (token === noToken ? otherDispatch : token)),
});

/** The responses whose gradient another step writes, perhaps into the same tensor. */
function writtenElsewhere(plan: Plan, { pass }: Step): readonly string[] {
  if (pass?.kind !== "gradient") return [];
  return plan.steps.flatMap((other) =>
    other.pass?.kind === "gradient" && other.pass !== pass && other.pass.of === pass.of
      ? other.pass.responses
      : [],
  );
}

/** Every logits tensor that is read, once, with the model it belongs to. */
export function tensorsRead(
  dispatches: readonly Dispatch[],
): readonly { readonly model: ModelName; readonly tensor: LogitsTensor }[] {
  const all = dispatches.flatMap(({ group }) => group?.tensors ?? []);
  return [...new Map(all.map((entry) => [entry.tensor.data, entry])).values()];
}

/** Every logits tensor whose gradient is written, once. */
export function tensorsWritten(dispatches: readonly Dispatch[]): readonly LogitsTensor[] {
  const all = dispatches.flatMap(({ step, group }) =>
    step.pass?.kind === "gradient" && group !== null ? [group.tensors[0]!.tensor] : [],
  );
  return [...new Map(all.map((tensor) => [tensor.data, tensor])).values()];
}

/** Workgroups of a dispatch along each axis. */
export function gridOf({
  kernel: { rows = 1, parts = 1 },
  window,
}: Pick<Dispatch, "kernel" | "window">): readonly [x: number, y: number, z: number] {
  const groups = Math.ceil(window.rows / rows);
  const width = Math.min(groups, 65_535);
  return [width, Math.ceil(groups / width), parts];
}
