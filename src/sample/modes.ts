// Batches of another kind than the ordinary ones: every model at the policy, as at the first step; models near the policy,
// where ratios are about 1; models far from it, past every clip; and numbers of either sign.

import type { Batch, Binding, LogitsBinding } from "../batch/batch.ts";
import { dtypeOf, numbersIn, vocabOf } from "../batch/logits.ts";
import { nameOfDatum, ofModel } from "../core/datum.ts";
import { toHalf } from "../core/storage.ts";
import type { Random } from "./random.ts";

/** What kind of a batch is drawn. */
export interface Mode {
  readonly name: string;
  /** How far the other models are from the policy: what noise is added to its logits; null where they are unrelated. */
  readonly distance: number | null;
  /** What logits are multiplied by. */
  readonly scale: number;
  /** Whether numbers of which nothing is declared have either sign. */
  readonly signed: boolean;
}

export const ordinary: Mode = { name: "ordinary", distance: null, scale: 1, signed: false };

/** The first step: every other model says what the policy says, up to the rounding of a cache to f32. */
export const start: Mode = { name: "first step", distance: 0, scale: 1, signed: false };

/** In the order in which they are tried. */
export const modes: readonly Mode[] = [
  { name: "numbers of either sign", distance: null, scale: 1, signed: true },
  { name: "models near the policy", distance: 0.02, scale: 1, signed: false },
  { name: "models far apart", distance: null, scale: 4, signed: false },
  {
    name: "models near the policy, numbers of either sign",
    distance: 0.05,
    scale: 1,
    signed: true,
  },
  { name: "models far apart, numbers of either sign", distance: null, scale: 4, signed: true },
  { name: "models at the policy", distance: 0, scale: 1, signed: true },
];

/** What a model says of a response, by the name of the input. */
type Said = NonNullable<ReturnType<typeof ofModel>>;

/** Other numbers for the rows of a tensor, where these are, as both models of a trainer lay out one batch. */
function withNumbers(
  { tensor, rowIndex }: LogitsBinding,
  name: string,
  numbers: Float32Array,
  batch: Batch,
): LogitsBinding {
  const [dtype, vocab] = [dtypeOf(tensor), vocabOf(tensor, batch)];
  const all = new Float32Array(tensor.rows * vocab);
  rowIndex.forEach((row, token) =>
    all.set(numbers.subarray(token * vocab, (token + 1) * vocab), row * vocab),
  );
  const stored = dtype === "f32" ? { data: all } : { data: toHalf(all, dtype), dtype };
  return { height: "logits", tensor: { name, rows: tensor.rows, vocab, ...stored }, rowIndex };
}

/** The logits of an input, row by row of its tokens. */
function rowsOf({ tensor, rowIndex }: LogitsBinding, batch: Batch): Float32Array {
  const [numbers, vocab] = [numbersIn(tensor)!, vocabOf(tensor, batch)];
  const out = new Float32Array(rowIndex.length * vocab);
  rowIndex.forEach((row, token) => {
    out.set(numbers.subarray(row * vocab, (row + 1) * vocab), token * vocab);
  });
  return out;
}

/** log π(y_t) of the policy for each token of a response; null where the batch says less of it. */
function policyLogp(batch: Batch, response: string): Float64Array | null {
  const ready = batch.inputs[nameOfDatum({ kind: "logp", model: "policy", response })];
  if (ready?.height === "token") return Float64Array.from(ready.values);
  const logits = batch.inputs[nameOfDatum({ kind: "logits", model: "policy", response })];
  if (logits?.height !== "logits") return null;
  const [rows, vocab] = [rowsOf(logits, batch), vocabOf(logits.tensor, batch)];
  return Float64Array.from(batch.responses[response]!.labels, (label, token) => {
    const row = rows.subarray(token * vocab, (token + 1) * vocab);
    const top = row.reduce((most, z) => Math.max(most, z), -Infinity);
    const rest = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
    return row[label]! - top - Math.log(rest);
  });
}

/** What the policy says of a response, at the height of a model's own input; null where the batch says less of it. */
function policyValues(batch: Batch, { kind, response }: Said): Float64Array | null {
  const ready = batch.inputs[nameOfDatum({ kind, model: "policy", response })];
  if (ready !== undefined && ready.height !== "logits") return Float64Array.from(ready.values);
  const tokens = policyLogp(batch, response);
  if (kind === "logp" || tokens === null) return tokens;
  const { offsets } = batch.responses[response]!;
  return Float64Array.from({ length: batch.examples }, (_, example) =>
    tokens.subarray(offsets[example], offsets[example + 1]).reduce((sum, x) => sum + x, 0),
  );
}

/** A batch of a mode, from an ordinary one that was drawn for it. */
export function inMode(batch: Batch, { distance, scale }: Mode, random: Random): Batch {
  if (distance === null && scale === 1) return batch;
  const noise = (): number =>
    distance === null || distance === 0 ? 0 : distance * random.normal();
  const atPolicy = (own: Said, binding: Binding): Binding => {
    if (binding.height !== "logits") {
      const values = policyValues(batch, own);
      if (values === null) return binding;
      return { ...binding, values: Float32Array.from(values, (value) => value + noise()) };
    }
    const from = batch.inputs[nameOfDatum({ ...own, model: "policy" })];
    if (from?.height !== "logits") return binding;
    const rows = rowsOf(from, batch).map((z) => scale * z + noise());
    return withNumbers(from, `${own.model}.${own.response}`, rows, batch);
  };
  const change = (name: string, binding: Binding): Binding => {
    const own = ofModel(name);
    if (own === null) return binding;
    if (distance !== null && own.model !== "policy") return atPolicy(own, binding);
    if (binding.height !== "logits" || scale === 1) return binding;
    const rows = rowsOf(binding, batch).map((z) => scale * z);
    return withNumbers(binding, `${own.model}.${own.response}`, rows, batch);
  };
  const inputs = Object.entries(batch.inputs).map(([name, binding]) => [
    name,
    change(name, binding),
  ]);
  return { ...batch, inputs: Object.fromEntries(inputs) as Batch["inputs"] };
}
