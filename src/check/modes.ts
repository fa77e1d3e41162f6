// Batches of another kind than the ordinary ones, drawn until each branch of an objective was taken both ways: models near
// the policy, where ratios are about 1; models far from it, past every clip; and numbers of either sign.

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

/** The same rows with other numbers, in a tensor of their own. */
function withNumbers(
  binding: LogitsBinding,
  name: string,
  numbers: Float32Array,
  rows: number,
  batch: Batch,
): LogitsBinding {
  const dtype = dtypeOf(binding.tensor);
  const vocab = vocabOf(binding.tensor, batch);
  const stored = dtype === "f32" ? { data: numbers } : { data: toHalf(numbers, dtype), dtype };
  const rowIndex = Uint32Array.from({ length: rows }, (_, row) => row);
  return { height: "logits", tensor: { name, rows, vocab, ...stored }, rowIndex };
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

/** A batch of a mode, from an ordinary one that was drawn for it. */
export function inMode(batch: Batch, { distance, scale }: Mode, random: Random): Batch {
  if (distance === null && scale === 1) return batch;
  const change = (name: string, binding: Binding): Binding => {
    const own = ofModel(name);
    if (own === null) return binding;
    const source =
      distance === null || own.model === "policy" ? name : nameOfDatum({ ...own, model: "policy" });
    const from = batch.inputs[source];
    if (from === undefined || from.height !== binding.height) return binding;
    const noise = (): number =>
      distance === null || own.model === "policy" ? 0 : distance * random.normal();
    if (from.height !== "logits")
      return { ...from, values: Float32Array.from(from.values, (value) => value + noise()) };
    const rows = rowsOf(from, batch).map((z) => scale * z + noise());
    return withNumbers(from, `${own.model}.${own.response}`, rows, from.rowIndex.length, batch);
  };
  const inputs = Object.entries(batch.inputs).map(([name, binding]) => [
    name,
    change(name, binding),
  ]);
  return { ...batch, inputs: Object.fromEntries(inputs) as Batch["inputs"] };
}
