// Other batches of the same data: some of the examples, in any order, and other rows between those that are read.
import type { Program } from "../../src/pipeline/pipeline.ts";
import { isTokenAxis, responseOf } from "../../src/core/axis.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { Batch, Binding, LogitsTensor, ResponseTokens } from "../../src/batch/batch.ts";

/** The numbers of each example among those of an input. */
export const byExample = (
  values: Float32Array | Float64Array,
  axes: Node["axes"],
  batch: Batch,
): number[][] => {
  const token = axes.find(isTokenAxis);
  const wide = axes.includes("vocab") ? batch.vocab : 1;
  const offsets =
    token === undefined
      ? Array.from({ length: batch.examples + 1 }, (_, example) => example)
      : [...batch.responses[responseOf(token)]!.offsets];
  return offsets
    .slice(1)
    .map((end, example) => Array.from(values.subarray(offsets[example]! * wide, end * wide)));
};

/** The batch with its examples in this order, or with these alone. */
export function picked(batch: Batch, order: readonly number[]): Batch {
  const tokensOf = ({ offsets }: ResponseTokens): number[] =>
    order.flatMap((example) =>
      Array.from(
        { length: offsets[example + 1]! - offsets[example]! },
        (_, t) => offsets[example]! + t,
      ),
    );
  const responses = Object.fromEntries(
    Object.entries(batch.responses).map(([name, tokens]): [string, ResponseTokens] => {
      const ends = [0];
      for (const example of order)
        ends.push(ends.at(-1)! + tokens.offsets[example + 1]! - tokens.offsets[example]!);
      const labels = tokensOf(tokens).map((token) => tokens.labels[token]!);
      return [name, { offsets: Uint32Array.from(ends), labels: Uint32Array.from(labels) }];
    }),
  );
  const inputs = Object.fromEntries(
    Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => {
      const response = Object.keys(batch.responses).find((one) => name.endsWith(`.${one}`));
      const tokens = tokensOf(
        batch.responses[response ?? ""] ?? {
          offsets: new Uint32Array(),
          labels: new Uint32Array(),
        },
      );
      if (binding.height === "logits")
        return [
          name,
          { ...binding, rowIndex: Uint32Array.from(tokens, (token) => binding.rowIndex[token]!) },
        ];
      const from = binding.height === "token" ? tokens : order;
      return [name, { ...binding, values: Float64Array.from(from, (n) => binding.values[n]!) }];
    }),
  );
  return { ...batch, examples: order.length, responses, inputs };
}

/** The batch with rows of NaN between the rows of its logits: `before(row)` of them before each, and some at the end. */
export function padded(batch: Batch, before: (row: number) => number): Batch {
  const made = new Map<
    LogitsTensor,
    { readonly tensor: LogitsTensor; readonly places: readonly number[] }
  >();
  const spread = (tensor: LogitsTensor) => {
    const known = made.get(tensor);
    if (known !== undefined) return known;
    const places: number[] = [];
    let rows = 0;
    for (let row = 0; row < tensor.rows; row++) {
      rows += before(row);
      places.push(rows++);
    }
    rows += before(tensor.rows);
    const { vocab } = batch;
    const data = new Float32Array(rows * vocab).fill(Number.NaN);
    const given = tensor.data as Float32Array;
    places.forEach((place, row) =>
      data.set(given.subarray(row * vocab, (row + 1) * vocab), place * vocab),
    );
    const result = { tensor: { ...tensor, data, rows }, places };
    made.set(tensor, result);
    return result;
  };
  const inputs = Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => {
    if (binding.height !== "logits") return [name, binding];
    const { tensor, places } = spread(binding.tensor);
    return [name, { ...binding, tensor, rowIndex: binding.rowIndex.map((row) => places[row]!) }];
  });
  return { ...batch, inputs: Object.fromEntries(inputs) };
}

/** Whether the loss of an example reads that example alone. */
export const isSeparable = ({ perExample }: Program): boolean =>
  perExample !== null &&
  !topological([perExample]).some((node) => "axis" in node && node.axis === "batch");
