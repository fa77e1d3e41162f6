// Whether the numbers of a batch are ones that a loss can be computed from. A logit of −∞ is legal: that entry
// of the vocabulary is masked, its probability is exactly 0. NaN and +∞ are not, and neither is a label whose
// own logit is −∞, because log π(y_t) would be −∞. Data on a GPU is not looked at here.

import { responseAmong } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import type { Batch, LogitsBinding } from "./batch.ts";
import { inputsNeeded } from "./check.ts";
import { numbersIn, vocabOf } from "./logits.ts";
import { cite } from "../core/quote.ts";

/** "token 2 of example 1 in response w", from a position in the response's order. */
export function describeToken(batch: Batch, response: string, token: number): string {
  const { offsets } = batch.responses[response]!;
  const example = offsets.findLastIndex((start) => start <= token);
  return `token ${token - offsets[example]!} of example ${example} in response ${cite(response)}`;
}

function checkLogits(
  name: string,
  response: string,
  binding: LogitsBinding,
  labelled: boolean,
  batch: Batch,
): void {
  const data = numbersIn(binding.tensor);
  if (data === null) return;
  const width = vocabOf(binding.tensor, batch);
  const { labels } = batch.responses[response]!;
  binding.rowIndex.forEach((row, token) => {
    for (let v = 0; v < width; v++) {
      const value = data[row * width + v]!;
      if (value < Infinity) continue;
      fail(
        "logits-not-finite",
        `${cite(name)} is ${value} at vocabulary entry ${v} of row ${row}, which predicts ${describeToken(batch, response, token)}; logits must be numbers below +Infinity (−Infinity masks an entry).`,
      );
    }
    if (labelled && data[row * width + labels[token]!] === -Infinity) {
      fail(
        "label-impossible",
        `${cite(name)} is −Infinity in row ${row} at the label itself, ${labels[token]}, of ${describeToken(batch, response, token)}; a token that was sampled cannot have probability 0, so unmask it or drop the example.`,
      );
    }
  });
}

/**
 * Checks the values of the inputs below the roots. The batch has passed checkBatch.
 * @throws PrefcError "logits-not-finite", "label-impossible" or "input-not-finite".
 */
export function checkValues(batch: Batch, roots: readonly Node[]): void {
  const labelled = new Set(
    topological(roots).flatMap((node) =>
      node.tag === "input" && node.datum.kind === "ids" ? [node.datum.response] : [],
    ),
  );
  for (const node of inputsNeeded(roots)) {
    const binding = batch.inputs[node.name]!;
    const response = responseAmong(node.axes) ?? "";
    if (binding.height === "logits") {
      checkLogits(node.name, response, binding, labelled.has(response), batch);
      continue;
    }
    const position = binding.values.findIndex((value) => !Number.isFinite(value));
    if (position < 0) continue;
    const place =
      binding.height === "token" ? describeToken(batch, response, position) : `example ${position}`;
    fail(
      "input-not-finite",
      `${cite(node.name)} is ${binding.values[position]} at ${place}; give finite numbers.`,
    );
  }
}
