// Turns the status words of a run into one sentence: which logit was NaN or +Infinity, or which label was
// impossible. The kernels see bits, so nothing here relies on how a driver computes with NaN.

import type { Batch, LogitsBinding } from "../batch/batch.ts";
import { bufferBytes, dtypeOf, numbersIn } from "../batch/logits.ts";
import { fail } from "../core/error.ts";
import { bytesPerEntry, fromHalf } from "../core/storage.ts";
import type { Plan } from "../plan/plan.ts";
import type { Device } from "./device.ts";
import type { Executed } from "./execute.ts";
import { locateToken } from "./layout.ts";
import { readBuffer } from "./readback.ts";
import { cite } from "../core/quote.ts";

const statusOf = { policy: 0, ref: 2 } as const;

/** @throws PrefcError logits-not-finite, label-impossible */
export async function reportBadLogits(
  device: Device,
  batch: Batch,
  plan: Plan,
  done: Executed,
  locate: boolean,
): Promise<void> {
  for (const [model, word] of Object.entries(statusOf)) {
    const bad = done.status[word]!;
    const impossible = done.status[word + 1]!;
    if (bad === 0 && impossible === 0) continue;
    const token = 0xffffffff - (bad === 0 ? impossible : bad);
    if (token >= done.stacked.tokens) {
      fail(
        "gpu-error",
        `The GPU reported token ${token} of ${done.stacked.tokens} on ${device.line}, so nothing that it computed can be relied on; try another adapter or driver.`,
      );
    }
    const { response, example, position } = locateToken(batch, done.stacked, plan, token);
    const binding = batch.inputs[`${model}.logits.${response}`] as LogitsBinding;
    const own = token - done.stacked.bases[plan.responses.indexOf(response)]!;
    const row = binding.rowIndex[own]!;
    const place = `token ${position} of response ${cite(response)} of example ${example} (row ${row} of the ${model} logits)`;
    if (bad === 0) {
      fail(
        "label-impossible",
        `The ${model} logit of the label itself, ${batch.responses[response]!.labels[own]}, is −Infinity at ${place}; a token that was sampled cannot have probability 0, so unmask it or drop the example.`,
      );
    }
    if (!locate) {
      fail(
        "logits-not-finite",
        `A ${model} logit is NaN or +Infinity at ${place}; find out where it comes from, or run again with { locate: true } to learn the column.`,
      );
    }
    const values = await readRow(device, binding, row, batch.vocab);
    const column = values.findIndex((value) => Number.isNaN(value) || value === Infinity);
    fail(
      "logits-not-finite",
      `The ${model} logit at column ${column} is ${values[column]} at ${place}; find out where it comes from.`,
    );
  }
}

async function readRow(
  device: Device,
  { tensor }: LogitsBinding,
  row: number,
  vocab: number,
): Promise<Float32Array> {
  const numbers = numbersIn(tensor);
  if (numbers !== null) return Float32Array.from(numbers.subarray(row * vocab, (row + 1) * vocab));
  const buffer = tensor.data as GPUBuffer;
  const dtype = dtypeOf(tensor);
  // whole words, of which a row of 16-bit numbers may begin in the middle
  const start = row * vocab * bytesPerEntry(dtype);
  const first = start - (start % 4);
  const bytes = bufferBytes(vocab + 1, dtype);
  const last = Math.min(bytes, Math.floor(buffer.size / 4) * 4 - first);
  const words = await readBuffer(device, buffer, first, last, "locating a bad logit");
  if (dtype === "f32") return new Float32Array(words, 0, vocab);
  return fromHalf(new Uint16Array(words, start - first, vocab), dtype);
}
