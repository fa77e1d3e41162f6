// Reads a batch's data as tensors: what the name of an input means, in float64. The batch has been checked
// before (src/batch/check.ts), so every lookup here succeeds.

import type { Batch } from "../batch/batch.ts";
import { numbersIn, vocabOf } from "../batch/logits.ts";
import { fail } from "../core/error.ts";
import type { Input } from "../core/node.ts";
import { tabulate, type Tensor } from "./tensor.ts";
import { cite } from "../core/quote.ts";

/**
 * The values of an input over its own axes.
 * @throws PrefcError "reference-needs-host-data" if they live in a GPU buffer.
 */
export function readInput(node: Input, batch: Batch): Tensor {
  if (node.datum.kind === "ids") {
    const { labels } = batch.responses[node.datum.response]!;
    return { axes: node.axes, data: Float64Array.from(labels) };
  }
  const binding = batch.inputs[node.name]!;
  if (binding.height !== "logits")
    return { axes: node.axes, data: Float64Array.from(binding.values) };
  const data = numbersIn(binding.tensor);
  if (data === null) {
    return fail(
      "reference-needs-host-data",
      `evaluate: ${cite(node.name)} is in a GPU buffer, which the reference interpreter cannot read; give its values as a Float32Array or Float64Array.`,
    );
  }
  const vocab = vocabOf(binding.tensor, batch);
  return tabulate(
    node.axes,
    { ...batch, vocab },
    (place) => data[binding.rowIndex[place.token]! * vocab + place.vocab]!,
  );
}
