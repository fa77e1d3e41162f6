// The plan: the ordered dispatches of one direction on one kind of adapter, with every buffer laid out. It is
// plain data; the runtime fills the buffers and submits, and explanations read it without a device.

import type { Param } from "../core/node.ts";
import { modelsIn } from "../kernel/status.ts";
import type { Layout } from "../kernel/storage.ts";
import type { Each, HighGradient, Inputs, Upload, ValueLayout } from "./layout.ts";
import type { Step } from "./steps.ts";

export type { HighGradient, Inputs, Lowering, Upload } from "./layout.ts";
export type { Step, Work } from "./steps.ts";

export interface Plan {
  readonly steps: readonly Step[];
  /** The models whose logits may be read, in the order of their words in the status. */
  readonly models: readonly string[];
  readonly responses: readonly string[];
  readonly rowFields: readonly string[];
  readonly exampleSlots: number;
  readonly scalarSlots: number;
  /** Pairs of floats for each token that the steps of a row program hand to each other. */
  readonly terms: number;
  /** Words for each token that the workgroups of split rows leave; 0 where no row is split. */
  readonly partWords: number;
  /** Scalars that are read back, in the order of their slots from 0: the loss, the metrics, the next state. */
  readonly scalars: readonly string[];
  readonly perExample: number | null;
  /** The metrics of each example that are read back where the loss of each example is. */
  readonly each: readonly Each[];
  readonly tokenUploads: readonly Upload[];
  readonly exampleUploads: readonly Upload[];
  readonly highGradients: readonly HighGradient[];
  readonly params: readonly Param[];
}

export function planOf(
  { responses, params }: Inputs,
  layout: Layout,
  laid: ValueLayout,
  { exampleSlots, scalarSlots, terms }: Pick<Plan, "exampleSlots" | "scalarSlots" | "terms">,
  steps: readonly Step[],
): Plan {
  const { rowFields, scalars, perExample, each, tokenUploads, exampleUploads, highGradients } =
    laid;
  return {
    steps,
    models: modelsIn(layout),
    responses,
    rowFields,
    exampleSlots,
    scalarSlots,
    terms,
    partWords: Math.max(0, ...steps.map(({ parts }) => parts?.words ?? 0)),
    scalars,
    perExample,
    each,
    tokenUploads,
    exampleUploads,
    highGradients,
    params,
  };
}
