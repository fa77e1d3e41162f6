// Random ragged batches that bring whatever an objective reads. Every number is a float32, or a 16-bit number where logits are,
// so a GPU and the interpreter see the same data. The kind of an input decides the range of its numbers: log-probabilities are
// negative, and rewards have either sign. Data of the user's own are positive, since most of them are weights.

import type { Batch, Binding, LogitsTensor, ResponseTokens } from "../batch/batch.ts";
import { isList, listOfRows, responseAmong, rowsOfList } from "../core/axis.ts";
import { count } from "../core/build.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { toHalf, type StorageType } from "../core/storage.ts";
import type { Declared } from "../dsl/declared.ts";
import type { Random } from "./random.ts";
import { randomValues } from "./values.ts";

/** Bounds of a batch. */
export interface BatchSize {
  readonly examples: number;
  /** The longest completion. */
  readonly tokens: number;
  readonly vocab: readonly [from: number, to: number];
}
/** What has to be brought. */
export interface Needs {
  readonly responses: readonly string[];
  readonly inputs: readonly Input[];
  /** Examples that the objective needs at least; 1. */
  readonly fewestExamples?: number;
  /** How logits are stored, to which they are rounded; f32. */
  readonly dtype?: StorageType;
  /** Which values inputs have, by input name, where an objective declares it. */
  readonly declared?: Declared;
  /** Whether numbers of which nothing is declared have either sign; they are positive. */
  readonly signed?: boolean;
}

/** The longest list of responses. */
const mostResponses = 5;
/** Rows that belong to no completion token, as prompts and padding do. */
const unusedRows = 2;

/** An objective that counts the examples itself may divide by one less, as a variance does; all others take a single one. */
export const fewestFor = (loss: Node): number =>
  topological([loss]).includes(count("batch")) ? 2 : 1;

/** A batch of random data for an objective. */
export function randomBatch(
  { responses, inputs, fewestExamples = 1, dtype = "f32", declared = {}, signed = false }: Needs,
  size: BatchSize,
  random: Random,
): Batch {
  const vocab = random.integer(...size.vocab);
  const examples = random.integer(fewestExamples, size.examples);
  const tokens: Record<string, ResponseTokens> = {};
  for (const response of responses) {
    // the responses of a list come before its tokens, and have no labels
    const isRows = listOfRows(response) !== null;
    const owners = isList(response) ? tokens[rowsOfList(response)]!.labels.length : examples;
    const longest = isRows ? mostResponses : size.tokens;
    tokens[response] = randomTokens(owners, longest, isRows ? 1 : vocab, random);
  }
  // from nearly uniform to one likely entry; nearly certain ones, where 1 − p cancels in float32 whatever the
  // kernel does, are for recorded files, which say what is lost there
  const scale = 0.5 + 1.5 * random.uniform();
  const together = random.uniform() < 0.5;
  const bindings: Record<string, Binding> = {};
  const models = inputs.flatMap(({ datum }) => (datum.kind === "logits" ? [datum.model] : []));
  // the order in which numbers are drawn: the policy's first, then the reference's
  for (const model of new Set(["policy", "ref", ...models])) {
    const own = inputs.filter(({ datum }) => datum.kind === "logits" && datum.model === model);
    const groups = together ? [own] : own.map((input) => [input]);
    for (const group of groups.filter(({ length }) => length > 0)) {
      const name = together ? model : `${model}.${responseIn(group[0]!)!}`;
      Object.assign(bindings, randomLogits(name, group, tokens, { vocab, scale, dtype, random }));
    }
  }
  // what is above another number is drawn after it
  const isAbove = ({ name }: Input): number => Number(declared[name]?.above !== undefined);
  for (const input of inputs.toSorted((a, b) => isAbove(a) - isAbove(b))) {
    if (input.dtype === "i32" || input.axes.includes("vocab")) continue;
    const values = declared[input.name];
    const needs = { tokens, examples, signed, values, drawn: bindings };
    bindings[input.name] = randomValues(input, needs, random);
  }
  return { examples, vocab, responses: tokens, inputs: bindings };
}

const responseIn = (input: Input): string | null => responseAmong(input.axes);

function randomTokens(
  examples: number,
  longest: number,
  vocab: number,
  random: Random,
): ResponseTokens {
  const offsets = [0];
  for (let example = 0; example < examples; example++) {
    offsets.push(offsets[example]! + random.integer(1, longest));
  }
  const labels = Uint32Array.from({ length: offsets[examples]! }, () =>
    random.integer(0, vocab - 1),
  );
  return { offsets: Uint32Array.from(offsets), labels };
}

/** One tensor with the rows of all given inputs in random order, and some rows that are no one's. */
function randomLogits(
  name: string,
  inputs: readonly Input[],
  tokens: Readonly<Record<string, ResponseTokens>>,
  {
    vocab,
    scale,
    dtype,
    random,
  }: {
    readonly vocab: number;
    readonly scale: number;
    readonly dtype: StorageType;
    readonly random: Random;
  },
): Readonly<Record<string, Binding>> {
  const counts = inputs.map((input) => tokens[responseIn(input)!]!.labels.length);
  const rows = counts.reduce((sum, count) => sum + count, unusedRows);
  const data = Float32Array.from({ length: rows * vocab }, () => scale * random.normal());
  const tensor: LogitsTensor =
    dtype === "f32" ? { name, data, rows } : { name, data: toHalf(data, dtype), rows, dtype };
  const order = random.order(rows);
  let next = 0;
  return Object.fromEntries(
    inputs.map((input, position) => {
      const rowIndex = Uint32Array.from(order.slice(next, (next += counts[position]!)));
      return [input.name, { height: "logits", tensor, rowIndex }];
    }),
  );
}
