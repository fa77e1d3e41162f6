// Turns the status words of a run into one sentence: which logit was NaN or +Infinity, which label was impossible, or
// which token's gradient cannot be stored. The kernels see bits, so nothing here relies on how a driver computes with NaN.

import type { LogitsBinding } from "../../batch/batch.ts";
import { bufferBytes, dtypeOf, numbersIn, vocabOf } from "../../batch/logits.ts";
import { nameOfDatum } from "../../core/datum.ts";
import { fail } from "../../core/error.ts";
import { reach } from "../../kernel/row.ts";
import { firstToken, gradientWord, wordAt, type LogitFault } from "../../kernel/status.ts";
import { bytesPerEntry, fromHalf } from "../../core/storage.ts";
import type { Device } from "../device/device.ts";
import type { Executed, Request } from "./run.ts";
import { locateToken } from "./stack.ts";
import { readBuffer } from "../device/read.ts";
import { cite } from "../../core/quote.ts";

/** Where a token that the kernels report is, and how it is called. */
interface Place {
  readonly response: string;
  /** Its number among the tokens of the response. */
  readonly own: number;
  readonly words: string;
}

/** @throws PrefcError gpu-error for a token that there is not */
function placeOf(device: Device, { batch, plan }: Request, done: Executed, token: number): Place {
  if (token >= done.stacked.tokens) {
    fail(
      "gpu-error",
      `The GPU reported token ${token} of ${done.stacked.tokens} on ${device.line}, so nothing that it computed can be relied on; try another adapter or driver.`,
    );
  }
  const { response, example, position } = locateToken(batch, done.stacked, plan, token);
  return {
    response,
    own: token - done.stacked.bases[plan.responses.indexOf(response)]!,
    words: `token ${position} of response ${cite(response)} of example ${example}`,
  };
}

/** @throws PrefcError logits-not-finite, label-impossible, masked-entry-weighted */
export async function refuseBadLogits(
  device: Device,
  request: Request,
  done: Executed,
  locate: boolean,
): Promise<void> {
  const { batch } = request;
  for (const [position, model] of request.plan.models.entries()) {
    const first = (fault: LogitFault): number | null =>
      firstToken(done.status, wordAt(position, fault));
    const bad = first("not-finite");
    const impossible = first("label-impossible");
    const token = bad ?? impossible ?? first("masked-entry-weighted");
    if (token === null) continue;
    const found = placeOf(device, request, done, token);
    const { response, own, words } = found;
    const binding = batch.inputs[nameOfDatum({ kind: "logits", model, response })] as LogitsBinding;
    const row = binding.rowIndex[own]!;
    const place = `${words} (row ${row} of the ${model} logits)`;
    if (bad === null && impossible === null) {
      fail(
        "masked-entry-weighted",
        `A ${model} logit is −Infinity or below −2^96 at ${place}, and the objective multiplies its log-probability by something else than 0, so that its value is infinite; mask the entry in all models that it compares or in none.`,
      );
    }
    if (bad === null) {
      fail(
        "label-impossible",
        `The ${model} logit of the label itself, ${batch.responses[response]!.labels[own]}, is −Infinity or below −2^96 at ${place}; a token that was sampled cannot have probability 0, so unmask it or drop the example.`,
      );
    }
    if (!locate) {
      fail(
        "logits-not-finite",
        `A ${model} logit is NaN, +Infinity or above 2^96 at ${place}; find out where it comes from, or run again with { locate: true } to learn the column.`,
      );
    }
    const values = await readRow(device, binding, row, vocabOf(binding.tensor, batch));
    const column = values.findIndex((value) => !(value < reach));
    fail(
      "logits-not-finite",
      `The ${model} logit at column ${column} is ${values[column]} at ${place}; find out where it comes from.`,
    );
  }
}

/** @throws PrefcError value-not-finite for a gradient of logits that its type cannot hold */
export function refuseGradient(
  device: Device,
  request: Request,
  done: Executed,
  objective: string,
): void {
  const token = firstToken(done.status, gradientWord);
  if (token === null) return;
  const { response, words } = placeOf(device, request, done, token);
  const binding = request.batch.inputs[nameOfDatum({ kind: "logits", model: "policy", response })];
  const dtype = binding?.height === "logits" ? dtypeOf(binding.tensor) : "f32";
  const remedy =
    dtype === "f16"
      ? "scale the loss down, or store logits as bf16 or f32"
      : "check parameters and rewards, or run the reference interpreter for its float64 value";
  fail(
    "value-not-finite",
    `The gradient of ${cite(objective)} leaves the range of ${dtype} at ${words}; ${remedy}.`,
  );
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
