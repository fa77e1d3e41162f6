// The dispatches of a run: each step of the plan, once for each group of tensors and each window of rows that
// fits a binding; and the logits tensors they read and write. No device is touched here.

import type { Batch, LogitsTensor } from "../batch/batch.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { jointWindows, type Partner } from "./joint.ts";
import { rowGroups, type RowGroup, type Stacked, type Window } from "./layout.ts";

export interface Dispatch {
  /** Position of the step in the plan. */
  readonly index: number;
  readonly step: Step;
  /** The tensors of a pass, or null for a row program. */
  readonly group: RowGroup | null;
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

export function listDispatches(
  plan: Plan,
  batch: Batch,
  stacked: Stacked,
  limits: BindingLimits,
): readonly Dispatch[] {
  return plan.steps.flatMap((step, index): readonly Dispatch[] => {
    if (step.pass === null) {
      return [{ index, step, group: null, window: { firstRow: 0, rows: 1 }, partners: [] }];
    }
    const { models, responses } = step.pass;
    const elsewhere = writtenElsewhere(plan, step);
    return rowGroups(batch, stacked, plan, models, responses, elsewhere).flatMap((group) =>
      jointWindows(group, batch.vocab * 4, limits).map((cut) => ({ index, step, group, ...cut })),
    );
  });
}

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

export const gridWidth = ({ rows }: Window): number => Math.min(rows, 65_535);
