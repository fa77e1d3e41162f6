// Files that were recorded in float32, because their source cannot run in float64. The interpreter is right to more digits
// than such a record has, so it is held to what float32 can know of the file: the usual bound of a kernel, or how far the
// loss and the gradient move with the rounding of a log-probability.

import { gradient } from "../ad/gradient.ts";
import type { Batch, LogitsTensor } from "../batch/batch.ts";
import { numbersIn } from "../batch/logits.ts";
import { gradientError, lossError } from "../check/error.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import type { SourceErrors } from "./judge.ts";
import type { Reading } from "./names.ts";
import { overBatch, recordedGradient } from "./reference.ts";

/** What float32 leaves unknown of a log-probability near 0 and of a probability near 1: a few roundings of 1. */
const unknown = 2 ** -22;
/** The other tokens may be off in the same direction, or by a little more. */
const margin = 2;

/**
 * The batch with log π(y_t) of every token of one response moved by what float32 leaves unknown. Where the label is nearly
 * certain, its logit has to move far for that: log π moves by 1 − π of it.
 */
function moved(batch: Batch, { name, datum }: Input): Batch {
  const binding = batch.inputs[name]!;
  const numbers = binding.height === "logits" ? numbersIn(binding.tensor) : null;
  if (binding.height !== "logits" || numbers === null) return batch;
  const { labels } = batch.responses["response" in datum ? datum.response : ""]!;
  const data = Float64Array.from(numbers);
  binding.rowIndex.forEach((row, token) => {
    const entries = data.slice(row * batch.vocab, (row + 1) * batch.vocab);
    const label = entries[labels[token]!]!;
    const others = entries.reduce((sum, z) => sum + Math.exp(z - label), -1);
    const rest = others / (1 + others);
    data[row * batch.vocab + labels[token]!]! += Math.min(1, unknown / Math.max(rest, unknown));
  });
  const tensor: LogitsTensor = { ...binding.tensor, data, dtype: "f32" };
  return { ...batch, inputs: { ...batch.inputs, [name]: { ...binding, tensor } } };
}

/** What a source loses in float32 on this batch, in the measure of its own errors. */
export function singleErrors({ objective, params, state }: Reading, batch: Batch): SourceErrors {
  const loss = overBatch(objective.loss);
  const inputs = topological([loss]).filter((node): node is Input => node.tag === "input");
  const differentiated = inputs.filter(isDifferentiated);
  const slopes = gradient(loss, differentiated);
  const at = (where: Batch): { readonly loss: number; readonly slope: ArrayLike<number> } => {
    const values = evaluate([loss, ...slopes], where, { ...params, ...state });
    return {
      loss: values[0]!.data[0]!,
      // into the tensor as it is: a response that was moved has a tensor of its own
      slope: recordedGradient(differentiated, values.slice(1), batch),
    };
  };
  const here = at(batch);
  let [ofLoss, ofGradient] = [0, 0];
  for (const input of inputs) {
    if (!input.axes.includes("vocab")) continue;
    const there = at(moved(batch, input));
    ofLoss += margin * lossError(there.loss, here.loss);
    ofGradient += margin * gradientError(there.slope, here.slope);
  }
  return { loss: ofLoss, gradient: ofGradient, perExample: ofLoss };
}
