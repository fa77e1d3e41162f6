// Whether a batch fits a program in ways that only the compiler knows: a kernel that counts entries, and buffers for gradients.

import type { Batch } from "../batch/batch.ts";
import { haveOneWidth } from "../batch/widths.ts";
import { fail } from "../core/error.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import type { Lowered } from "../pipeline/pipeline.ts";

/**
 * What lies between passes sees the batch's vocabulary, whichever model's sum it comes from.
 * @throws PrefcError "vocabulary-differs"
 */
export function checkCounts(lowered: Lowered, batch: Batch, inputs: readonly Input[]): void {
  if (haveOneWidth(inputs, batch)) return;
  const between = [...lowered.stages.outputs.values()].flatMap((outputs) =>
    outputs.map(({ node }) => node),
  );
  const ends = [
    ...lowered.scalars.map(([, node]) => node),
    ...lowered.highGradients.map(({ node }) => node),
  ];
  const counted = topological([...between, ...ends]).some(
    (node) => node.tag === "count" && node.axis === "vocab",
  );
  if (!counted) return;
  fail(
    "vocabulary-differs",
    `The models have vocabularies of different sizes, and a kernel counts the entries of one (a sum of log-probabilities over the vocabulary does); give all models one vocabulary, or evaluate the objective with the interpreter.`,
  );
}

/** A gradient buffer must belong to a tensor that the gradient is taken of. */
export function checkInto(
  into: Readonly<Record<string, GPUBuffer>>,
  batch: Batch,
  inputs: readonly Input[],
): void {
  const names = inputs.flatMap((input) => {
    const binding = isDifferentiated(input) ? batch.inputs[input.name] : undefined;
    return binding?.height === "logits" ? [binding.tensor.name] : [];
  });
  for (const name of Object.keys(into)) {
    if (!names.includes(name)) {
      fail(
        "unknown-tensor",
        `into: no gradient is taken of a tensor ${cite(name)}; the tensors that have one are ${[...new Set(names)].map((known) => cite(known)).join(", ")}.`,
      );
    }
  }
}
