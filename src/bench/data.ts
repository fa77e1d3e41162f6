// The batch of an objective on a layout: its logits on the device for the kernels, or the same logits of some examples on
// the host for the interpreter, and random values for whatever else the objective reads.

import type { Program } from "../pipeline/pipeline.ts";
import type { Batch, Binding } from "../index.ts";
import { randomValues } from "../sample/values.ts";
import { random } from "../sample/random.ts";
import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { StorageType } from "../core/storage.ts";
import type { Input } from "../core/node.ts";
import type { Layout } from "./layout.ts";
import { logitsRows, type DeviceLogits } from "./logits.ts";
import { models, type Data, type Model } from "./values.ts";

const seed = 7;

/** The same numbers for an input wherever it is asked for. */
const streamOf = (name: string): number => {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (Math.imul(sum, 31) + name.charCodeAt(i)) >>> 0;
  return sum;
};

/** Whose logits an input is: those that a benchmark makes are the policy's and the reference's. */
const logitsIn = ({ datum }: Input): { model: Model; response: string } | null =>
  datum.kind === "logits"
    ? { model: models.find((model) => model === datum.model) ?? "ref", response: datum.response }
    : null;

const needed = (inputs: readonly Input[]): readonly Input[] =>
  inputs.filter(({ dtype }) => dtype !== "i32");

/**
 * The batch of a run, for the inputs of a program and what its objective declares of them. `given` are inputs with values of
 * their own, such as cached log-probabilities.
 */
export function batchOf(
  layout: Layout,
  { inputs, declared }: Pick<Program, "inputs" | "declared">,
  held: DeviceLogits,
  given: Readonly<Record<string, Binding>> = {},
): Batch {
  const { rows, vocab, examples, responses, rowIndex } = layout;
  const drawn: Record<string, Binding> = {};
  const numbers = (input: Input): Binding => {
    const values = declared[input.name];
    const needs = { tokens: responses, examples, values, drawn };
    return randomValues(input, needs, random(seed, streamOf(input.name)));
  };
  const binding = (input: Input): Binding => {
    const logits = logitsIn(input);
    if (logits === null) return given[input.name] ?? numbers(input);
    const { model, response } = logits;
    return {
      height: "logits",
      tensor: { name: model, data: held[model], rows, dtype: held.dtype },
      rowIndex: rowIndex[response]!,
    };
  };
  // what is above another number is drawn after it
  const isAbove = ({ name }: Input): number => Number(declared[name]?.above !== undefined);
  for (const input of needed(inputs).toSorted((a, b) => isAbove(a) - isAbove(b)))
    drawn[input.name] = binding(input);
  return {
    examples,
    vocab,
    responses,
    inputs: drawn,
  };
}

/** How logits are made and stored: what the host needs to make them again. */
export interface Stored {
  readonly dtype: StorageType;
  readonly data: Data;
}

/** The examples from `from` to before `to` of the same batch, with logits on the host; the other values are those of `whole`. */
export function hostPart(
  layout: Layout,
  inputs: readonly Input[],
  whole: Batch,
  { dtype, data: kind }: Stored,
  [from, to]: readonly [from: number, to: number],
): Batch {
  const { vocab, responses, rowIndex } = layout;
  const range = (response: string): readonly [number, number] => {
    const { offsets } = responses[response]!;
    return [offsets[from]!, offsets[to]!];
  };
  const binding = (input: Input): Binding => {
    const { name, axes } = input;
    const logits = logitsIn(input);
    if (logits !== null) {
      const rows = rowIndex[logits.response]!.slice(...range(logits.response));
      const data = logitsRows(logits.model, rows, vocab, dtype, kind);
      const tensor = { name: `${logits.model}.${logits.response}`, data, rows: rows.length, dtype };
      return { height: "logits", tensor, rowIndex: rows.map((_, row) => row) };
    }
    const own = whole.inputs[name]!;
    if (own.height === "logits") return own;
    const token = axes.find(isTokenAxis);
    const [first, last] = token === undefined ? [from, to] : range(responseOf(token));
    return { height: own.height, values: own.values.slice(first, last) };
  };
  const cut = Object.entries(responses).map(([response, { offsets, labels }]) => {
    const [first, last] = range(response);
    const own = offsets.slice(from, to + 1).map((offset) => offset - first);
    return [response, { offsets: own, labels: labels.slice(first, last) }] as const;
  });
  return {
    examples: to - from,
    vocab,
    responses: Object.fromEntries(cut),
    inputs: Object.fromEntries(needed(inputs).map((input) => [input.name, binding(input)])),
  };
}
