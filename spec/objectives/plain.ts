// The built-in losses and metrics a second time, as loops over plain arrays: no expression, no axis, nothing of
// the package but the shape of a batch. Written from the papers, to be compared with what the language says.

import type { Batch, LogitsBinding } from "../../src/batch/batch.ts";

type Side = "w" | "l";

/** What one example needs of one response. */
export interface Sequence {
  /** log π(y_t) and log π_ref(y_t). */
  readonly policy: readonly number[];
  readonly ref: readonly number[];
  /** Policy log-probabilities over the vocabulary, one row per token. */
  readonly rows: readonly (readonly number[])[];
  /** The same of the reference. */
  readonly refRows: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

export const total = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0);
export const mean = (values: readonly number[]): number => total(values) / values.length;
export const logSigmoid = (x: number): number =>
  Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));

const logSoftmax = (row: readonly number[]): readonly number[] => {
  const largest = Math.max(...row);
  // what the others add to the largest, whose digits a sum with it would lose
  const rest = Math.log1p(
    total(row.toSpliced(row.indexOf(largest), 1).map((z) => Math.exp(z - largest))),
  );
  return row.map((z) => z - largest - rest);
};

/** The response of one example. */
export function sequence(batch: Batch, side: Side, example: number): Sequence {
  const { offsets, labels } = batch.responses[side]!;
  const tokens = Array.from(
    { length: offsets[example + 1]! - offsets[example]! },
    (_, t) => offsets[example]! + t,
  );
  const rowsOf = (model: string): readonly (readonly number[])[] => {
    const { tensor, rowIndex } = batch.inputs[`${model}.logits.${side}`] as LogitsBinding;
    const data = tensor.data as Float32Array;
    return tokens.map((token) =>
      logSoftmax(
        Array.from(
          data.subarray(rowIndex[token]! * batch.vocab, (rowIndex[token]! + 1) * batch.vocab),
        ),
      ),
    );
  };
  const own = tokens.map((token) => labels[token]!);
  const [rows, refRows] = [rowsOf("policy"), rowsOf("ref")];
  const pick = (all: readonly (readonly number[])[]): readonly number[] =>
    all.map((row, t) => row[own[t]!]!);
  return { policy: pick(rows), ref: pick(refRows), rows, refRows, labels: own };
}

export const examples = (batch: Batch): readonly Readonly<Record<Side, Sequence>>[] =>
  Array.from({ length: batch.examples }, (_, b) => ({
    w: sequence(batch, "w", b),
    l: sequence(batch, "l", b),
  }));

export const logRatio = ({ policy, ref }: Sequence): number => total(policy) - total(ref);

/** −(1 − ε) log σ(βΔ) − ε log σ(−βΔ) */
export const dpo = (
  pair: Readonly<Record<Side, Sequence>>,
  beta: number,
  epsilon: number,
): number => {
  const x = beta * (logRatio(pair.w) - logRatio(pair.l));
  return -(1 - epsilon) * logSigmoid(x) - epsilon * logSigmoid(-x);
};

export const alignments: Readonly<
  Record<"sampled" | "greedy" | "none", (row: readonly number[]) => number>
> = {
  sampled: (row) => Math.log(total(row.map((logp) => Math.exp(2 * logp)))),
  greedy: (row) => Math.max(...row),
  none: () => 0,
};

/** exp of the mean over tokens of log π(y_t) − alignment_t */
export const weight = ({ policy, rows }: Sequence, alignment: keyof typeof alignments): number =>
  Math.exp(mean(policy.map((logp, t) => logp - alignments[alignment](rows[t]!))));

export const entropy = ({ rows }: Sequence): number =>
  -total(rows.flatMap((row) => row.map((logp) => Math.exp(logp) * logp)));
export const correct = ({ rows, labels }: Sequence): number =>
  rows.filter((row, t) => row[labels[t]!] === Math.max(...row)).length;
