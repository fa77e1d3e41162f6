// What an engine makes of a golden file: the same results whether they were interpreted or computed on a GPU, with
// nothing in them about either.

import type { Batch } from "../batch/batch.ts";
import { fail } from "../core/error.ts";
import type { EmitHeight } from "../torch/emit.ts";
import type { Reading } from "./names.ts";
import type { Expected } from "./recorded.ts";

export interface Computed {
  readonly loss: number;
  /** d loss / d policy logits, [rows, vocab] in the order of the tensor. */
  readonly gradient: ArrayLike<number>;
  /** The loss of each example; null when the objective has none, undefined when the engine does not say. */
  readonly perExample: ArrayLike<number> | null | undefined;
  /** Recorded quantities per example, if the engine computes them. */
  readonly quantities: Readonly<Record<string, ArrayLike<number>>>;
  /** Metrics per example, if the engine keeps them. */
  readonly metrics: Readonly<Record<string, ArrayLike<number>>>;
  /** Metrics averaged over the batch. */
  readonly averages: Readonly<Record<string, number>>;
}

export type EngineName = "reference" | "gpu" | `torch ${EmitHeight}`;

export interface Engine {
  readonly name: EngineName;
  /** @throws PrefcError for data that the engine refuses */
  readonly run: (reading: Reading, batch: Batch, expected: Expected) => Promise<Computed>;
  readonly close: () => void;
}

/** Fails for an objective whose gradient is with respect to nothing that a file records. */
export const noLogits = (): never =>
  fail(
    "golden-no-logits",
    "The objective reads neither logits of the policy nor scores, so there is no gradient to compare; give its family a layout.",
  );
