// A way to compute a step: which tokens count, where logits come from, and what the formula is. The right one is a reading, and so is
// each mistake that a trainer may make, which makes both the same computation.

import { nameOfDatum, type ModelName } from "../core/datum.ts";
import type { Node } from "../core/node.ts";
import type { Batch, Binding } from "../batch/batch.ts";
import type { Rows } from "./rows.ts";
import type { Tokens } from "./tokens.ts";

/** Expressions by what they are called in a report. */
export type Quantities = ReadonlyMap<string, Node>;

/** Numbers per token that are made of those of a term over the vocabulary, and the input that expressions read them as. */
export interface Derived {
  readonly input: Node;
  readonly of: Node;
  readonly make: (values: Float64Array, tokens: Tokens) => Float64Array;
}
export interface Reading {
  readonly tokens: Readonly<Record<string, Tokens>>;
  readonly rows: Readonly<Record<ModelName, Rows>>;
  readonly quantities: Quantities;
  readonly derived: readonly Derived[];
  /** Data that are no logits, such as log-probabilities of the reference that were recorded alone. */
  readonly given: Readonly<Record<string, Binding>>;
  /** What is lost of a log-probability, in parts of the largest logit. */
  readonly unknown: number;
}

/** Entries of a table of the interpreter. */
const tableEntries = 2 ** 20;

/** The examples of a reading in parts whose logits in float64 are small. */
export function partsOf(
  { tokens, rows }: Reading,
  response: string,
): readonly (readonly [from: number, to: number])[] {
  const { offsets } = tokens[response]!;
  const width = Math.max(1, ...Object.values(rows).map((one) => one.width));
  const examples = offsets.length - 1;
  const parts: (readonly [number, number])[] = [];
  for (let from = 0, to = 0; from < examples; from = to) {
    to = from + 1;
    while (to < examples && (offsets[to + 1]! - offsets[from]!) * width <= tableEntries) to++;
    parts.push([from, to]);
  }
  return parts;
}

/** A batch of some examples of one response, with the logits of the models that are named. */
export function partBatch(
  { tokens, rows, given }: Reading,
  response: string,
  models: readonly ModelName[],
  [from, to]: readonly [from: number, to: number],
): Batch {
  const own = tokens[response]!;
  const [first, last] = [own.offsets[from]!, own.offsets[to]!];
  const vocab = (rows["policy"] ?? Object.values(rows)[0]!).width;
  const inputs: Record<string, Binding> = {};
  for (const model of models) {
    const { width } = rows[model]!;
    const data = rowsOf(rows[model]!, own, first, last);
    const tensor = { name: model, data, rows: last - first };
    inputs[nameOfDatum({ kind: "logits", model, response })] = {
      height: "logits",
      tensor: width === vocab ? tensor : { ...tensor, vocab: width },
      rowIndex: Uint32Array.from({ length: last - first }, (_, row) => row),
    };
  }
  for (const [name, binding] of Object.entries(given)) {
    if (binding.height === "example")
      inputs[name] = { ...binding, values: binding.values.slice(from, to) };
    if (binding.height === "token" && binding.values.length === own.labels.length)
      inputs[name] = { ...binding, values: binding.values.slice(first, last) };
  }
  return {
    examples: to - from,
    vocab,
    responses: {
      [response]: {
        offsets: own.offsets.slice(from, to + 1).map((offset) => offset - first),
        labels: own.labels.slice(first, last),
      },
    },
    inputs,
  };
}

/** The rows that predict some tokens, in their order. */
export function rowsOf(source: Rows, own: Tokens, first: number, last: number): Float64Array {
  const data = new Float64Array((last - first) * source.width);
  for (let token = first; token < last;) {
    const [sequence, start] = [own.sequence[token]!, own.position[token]! - 1];
    let count = 1;
    while (
      token + count < last &&
      own.sequence[token + count] === sequence &&
      own.position[token + count]! - 1 === start + count
    )
      count++;
    data.set(source.read(sequence, start, count), (token - first) * source.width);
    token += count;
  }
  return data;
}
