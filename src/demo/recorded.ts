// The batches that TRL's own code was run on: they are published with the package, in data/, so that the demonstration
// can put what prefc computes beside what TRL computed. The folder is found from this file, so a checkout and an
// installed package work alike.
import { readFileSync } from "node:fs";
import { fromTrl, type Batch, type Params } from "../index.ts";
import { gradientError, lossError } from "../check/error.ts";

/** A recorded call of TRL. */
export interface Recorded {
  readonly batch: Batch;
  readonly params: Params;
  /** Repository, function and commit. */
  readonly source: string;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** d loss / d policy_logits, [2B · T · V]. */
  readonly gradient: readonly number[];
  /** What TRL itself loses in float32 on these data, in the same measures as ours. */
  readonly float32: { readonly loss: number; readonly gradient: number };
}

interface File {
  readonly source: { readonly repo: string; readonly commit: string; readonly function: string };
  readonly params: { readonly beta: number };
  readonly inputs: {
    readonly input_ids: readonly number[][];
    readonly completion_mask: readonly number[][];
    readonly policy_logits: readonly number[][][];
    readonly ref_logits: readonly number[][][];
  };
  readonly outputs: {
    readonly loss: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly grad_policy_logits: readonly number[][][];
  };
  readonly float32_run: { readonly loss: number; readonly grad_max_abs_err_vs_f64: number };
}

/** What a batch takes of recorded inputs, which also say what their rows are. */
const brought = ({
  input_ids,
  completion_mask,
  policy_logits,
  ref_logits,
}: File["inputs"]): File["inputs"] => ({ input_ids, completion_mask, policy_logits, ref_logits });

/** Reads one of the files in data/. */
export function recorded(name: "trl-dpo" | "trl-wpo"): Recorded {
  const path = new URL(`../../data/${name}.json`, import.meta.url);
  const { source, params, inputs, outputs, float32_run } = JSON.parse(
    readFileSync(path, "utf8"),
  ) as File;
  const gradient = outputs.grad_policy_logits.flat(2);
  const largest = gradient.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  return {
    batch: fromTrl(brought(inputs)),
    params: { beta: params.beta },
    source: `${source.repo}, ${source.function}, ${source.commit.slice(0, 7)}`,
    loss: outputs.loss,
    metrics: outputs.metrics,
    gradient,
    float32: {
      loss: lossError(float32_run.loss, outputs.loss),
      gradient: gradientError([largest + float32_run.grad_max_abs_err_vs_f64], [largest]),
    },
  };
}
