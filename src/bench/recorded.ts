// A recorded training step as what a benchmark runs on: its rows, its completions and its logits, instead of ones that are made up.

import { tokensBy, type Tokens } from "../audit/tokens.ts";
import { readStep, responsesIn } from "../audit/step.ts";
import type { Given } from "../audit/rows.ts";
import { promptOf } from "../core/inputs.ts";
import { PrefcError } from "../core/error.ts";
import type { StorageType } from "../core/storage.ts";
import { cite } from "../core/quote.ts";
import { openTensors } from "../tensors/open.ts";
import type { Layout } from "./layout.ts";
import type { Model } from "./values.ts";

export interface RecordedStep {
  /** The file, as tables name it. */
  readonly name: string;
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  /** One row of a model's logits. */
  readonly row: (model: Model, index: number) => Float64Array;
  /** The layout of some responses. @throws PrefcError "audit-responses" */
  readonly layout: (responses: readonly string[], fewestExamples: number) => Layout;
  readonly close: () => void;
}

/**
 * Reads a step.
 * @throws PrefcError what `openTensors` and `readStep` throw, and "step-tensor-missing", "step-tensor-shape" where the reference has
 * no logits like the policy's
 */
export function readRecorded(path: string, given: Given): RecordedStep {
  const file = openTensors(path);
  try {
    const step = readStep(file, given);
    const { policy, ref } = step.logits as Record<Model, (typeof step.logits)[string] | undefined>;
    if (ref === undefined) {
      throw new PrefcError(
        "step-tensor-missing",
        `--batch: ${file.name} has no logits of the reference, which kernels read; record ref_logits.`,
      );
    }
    const lengths = step.sequences.map((_, sequence) => policy!.length(sequence));
    const isAlike =
      ref.width === policy!.width &&
      ref.dtype === policy!.dtype &&
      lengths.every((length, sequence) => ref.length(sequence) === length);
    if (!isAlike) {
      throw new PrefcError(
        "step-tensor-shape",
        `--batch: ${file.name} has logits of the reference in another shape or type than the policy's, and a benchmark holds both alike; record both with one vocabulary and one type.`,
      );
    }
    const starts = [0];
    for (const length of lengths) starts.push(starts.at(-1)! + length);
    const rows = starts.at(-1)!;
    const rowOf = (sequence: number, position: number): number => starts[sequence]! + position - 1;
    const layout = (responses: readonly string[], fewestExamples: number): Layout => {
      const known = [...responsesIn, ...responsesIn.map(promptOf)];
      const other = responses.find((response) => !known.includes(response));
      if (other !== undefined || step.examples < fewestExamples) {
        throw new PrefcError(
          "audit-responses",
          other === undefined
            ? `--batch: ${file.name} has ${step.examples} example, and the objective needs ${fewestExamples}; record a larger step.`
            : `--batch: the objective reads the response ${cite(other)}, but a recorded step has pairs, w (chosen) and l (rejected); bench an objective of pairs.`,
        );
      }
      const tokens = tokensBy(step, responses);
      const indexOf = ({ sequence, position }: Tokens): Uint32Array =>
        Uint32Array.from(sequence, (one, at) => rowOf(one, position[at]!));
      const all = Object.entries(tokens);
      const completionRows = all.reduce((sum, [, { labels }]) => sum + labels.length, 0);
      return {
        rows,
        vocab: policy!.width,
        padding: (rows - completionRows) / rows,
        examples: step.examples,
        completionRows,
        responses: tokens,
        rowIndex: Object.fromEntries(all.map(([response, own]) => [response, indexOf(own)])),
      };
    };
    return {
      name: file.name,
      rows,
      vocab: policy!.width,
      // float64 is computed in f32 on an adapter
      dtype: policy!.dtype === "f64" ? "f32" : policy!.dtype,
      row: (model, index) => {
        const sequence = starts.findLastIndex((start) => start <= index);
        return step.logits[model]!.read(sequence, index - starts[sequence]!, 1);
      },
      layout,
      close: file.close,
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
