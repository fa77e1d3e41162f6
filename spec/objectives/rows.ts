// Random batches of pairs seen as other rows: single completions, samples of two models, a third response, a prompt. The
// generators know pairs only; here their responses get other names, or several.

import type { Batch, Binding } from "../../src/batch/batch.ts";

type Side = "w" | "l";

/** The batch with each response under all of the names that are given for it. */
export function renamed(batch: Batch, names: Readonly<Record<Side, readonly string[]>>): Batch {
  const sides: readonly Side[] = ["w", "l"];
  const responses = sides.flatMap((side) =>
    names[side].map((name) => [name, batch.responses[side]!] as const),
  );
  const inputs = Object.entries(batch.inputs).flatMap(([input, binding]) => {
    const side = sides.find((candidate) => input.endsWith(`.${candidate}`));
    if (side === undefined) return [[input, binding] as const];
    return names[side].map((name) => [`${input.slice(0, -side.length)}${name}`, binding] as const);
  });
  return { ...batch, responses: Object.fromEntries(responses), inputs: Object.fromEntries(inputs) };
}

/** The batch with numbers per example by name of the input, such as "example.margin" or "reward.w". */
export function withNumbers(
  batch: Batch,
  numbers: Readonly<Record<string, readonly number[]>>,
): Batch {
  const bound = Object.entries(numbers).map(([name, values]): readonly [string, Binding] => [
    name,
    { height: "example", values: Float64Array.from(values) },
  ]);
  return { ...batch, inputs: { ...batch.inputs, ...Object.fromEntries(bound) } };
}

/** Numbers per example that differ between examples and batches: multiples of `step` that the labels decide. */
export const numbersOf = (batch: Batch, step: number): readonly number[] =>
  Array.from({ length: batch.examples }, (_, b) => {
    const { offsets, labels } = batch.responses["w"]!;
    return step * ((labels[offsets[b]!]! + b) % 5);
  });
