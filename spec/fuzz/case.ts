// What the fuzzer tries: a program of the core with a batch, parameters and a state, whole and on its own. As text it is a
// corpus entry, which holds the printed program and every number, so that it can be read, replayed and kept as an example.
import type { Batch, Binding, Params } from "../../src/batch/batch.ts";
import { inputsNeeded, responsesNeeded } from "../../src/batch/check.ts";
import { bindHeights, type Heights } from "../../src/pipeline/bind.ts";
import type { Node } from "../../src/core/node.ts";
import { parse } from "../../src/core/parse.ts";
import { print } from "../../src/core/print.ts";
import type { Objective } from "../../src/dsl/objective.ts";

export interface Case {
  /** What it was drawn from. */
  readonly seed: number;
  /** How it was made, for the report: "grown", or the names of objectives and combinators. */
  readonly origin: string;
  readonly responses: readonly string[];
  /** One number per example, or one. */
  readonly loss: Node;
  readonly metrics: Readonly<Record<string, Node>>;
  readonly next: Readonly<Record<string, Node>>;
  readonly batch: Batch;
  readonly params: Params;
  readonly state: Params;
  /** Where models enter; the batch brings what they ask for. */
  readonly heights: Heights;
}

export const rootsOf = ({ loss, metrics, next }: Case): readonly Node[] => [
  loss,
  ...Object.values(metrics),
  ...Object.values(next),
];

/** The results as they are when models are bound at the case's heights. @throws PrefcError where they cannot be */
export function boundRootsOf({ loss, metrics, next, heights, batch }: Case): readonly Node[] {
  const roots = { loss, metrics, next };
  const bound = bindHeights(roots, Object.keys(batch.responses), heights);
  return [bound.loss, ...Object.values(bound.metrics), ...Object.values(bound.next)];
}

/** The case as an objective that can be compiled. */
export const objectiveOf = ({ responses, loss, metrics, next, state }: Case): Objective => ({
  name: "a random program",
  responses,
  models: [],
  declared: {},
  unused: [],
  loss,
  metrics,
  next,
  state,
  source: "drawn at random",
});

const metricPrefix = "metric ";
const nextPrefix = "next ";

/** The program in printed form. */
export const printed = ({ loss, metrics, next }: Case): string =>
  print({
    loss,
    ...Object.fromEntries(
      Object.entries(metrics).map(([name, node]) => [metricPrefix + name, node]),
    ),
    ...Object.fromEntries(Object.entries(next).map(([name, node]) => [nextPrefix + name, node])),
  });

// JSON has no −∞, which masks a logit
const plain = (values: Iterable<number>): readonly (number | string)[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : String(value)));
const numbers = (values: readonly (number | string)[]): Float32Array =>
  Float32Array.from(values.map(Number));

interface TensorText {
  readonly rows: number;
  readonly data: readonly (number | string)[];
}
interface BindingText {
  readonly height: Binding["height"];
  readonly tensor?: string;
  readonly rowIndex?: readonly number[];
  readonly values?: readonly (number | string)[];
}
interface BatchText {
  readonly examples: number;
  readonly vocab: number;
  readonly responses: Readonly<
    Record<string, { readonly offsets: readonly number[]; readonly labels: readonly number[] }>
  >;
  readonly tensors: Readonly<Record<string, TensorText>>;
  readonly inputs: Readonly<Record<string, BindingText>>;
}

function batchText(batch: Batch): BatchText {
  const tensors: Record<string, TensorText> = {};
  const inputs: Record<string, BindingText> = {};
  for (const [name, binding] of Object.entries(batch.inputs)) {
    if (binding.height !== "logits") {
      inputs[name] = { height: binding.height, values: plain(binding.values) };
      continue;
    }
    const { tensor, rowIndex } = binding;
    tensors[tensor.name] = { rows: tensor.rows, data: plain(tensor.data as Float32Array) };
    inputs[name] = { height: "logits", tensor: tensor.name, rowIndex: [...rowIndex] };
  }
  const responses = Object.fromEntries(
    Object.entries(batch.responses).map(([name, { offsets, labels }]) => [
      name,
      { offsets: [...offsets], labels: [...labels] },
    ]),
  );
  return { examples: batch.examples, vocab: batch.vocab, responses, tensors, inputs };
}

function batchOf({ examples, vocab, responses, tensors, inputs }: BatchText): Batch {
  const made = Object.fromEntries(
    Object.entries(tensors).map(([name, { rows, data }]) => [
      name,
      { name, rows, data: numbers(data) },
    ]),
  );
  const binding = ({ height, tensor, rowIndex, values }: BindingText): Binding =>
    height === "logits"
      ? { height, tensor: made[tensor!]!, rowIndex: Uint32Array.from(rowIndex!) }
      : { height, values: numbers(values!) };
  return {
    examples,
    vocab,
    responses: Object.fromEntries(
      Object.entries(responses).map(([name, { offsets, labels }]) => [
        name,
        { offsets: Uint32Array.from(offsets), labels: Uint32Array.from(labels) },
      ]),
    ),
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, text]) => [name, binding(text)])),
  };
}

/** A corpus entry: the case, and what was found. */
export interface Entry extends Case {
  readonly found: readonly string[];
}

export function entryText({ found, ...one }: Entry): string {
  const { seed, origin, responses, params, state, heights, batch } = one;
  const program = printed(one).trimEnd().split("\n");
  const fields = { seed, origin, found, program, responses, params, state, heights };
  const lines = Object.entries({ ...fields, batch: batchText(batch) }).map(
    ([name, value]) =>
      `  ${JSON.stringify(name)}: ${name === "program" ? JSON.stringify(value, null, 4).replace(/\]$/, "  ]") : JSON.stringify(value)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

export function entryOf(text: string): Entry {
  const read = JSON.parse(text) as Omit<Entry, "batch" | "loss" | "metrics" | "next"> & {
    readonly program: readonly string[];
    readonly batch: BatchText;
  };
  const { program, batch, ...rest } = read;
  const roots = parse(program.join("\n"));
  const under = (prefix: string): Readonly<Record<string, Node>> =>
    Object.fromEntries(
      Object.entries(roots).flatMap(([name, node]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), node] as const] : [],
      ),
    );
  return {
    ...rest,
    loss: roots["loss"]!,
    metrics: under(metricPrefix),
    next: under(nextPrefix),
    batch: batchOf(batch),
  };
}

/** The case with only those inputs, responses, parameters and states that it still reads. */
export function trimmed(one: Case): Case {
  const roots = rootsOf(one);
  const names = new Set(inputsNeeded(roots).map(({ name }) => name));
  const responses = new Set([...responsesNeeded(roots), ...one.responses]);
  const high = Object.keys(one.heights).length > 0;
  const { batch } = one;
  return {
    ...one,
    batch: {
      ...batch,
      responses: Object.fromEntries(
        Object.entries(batch.responses).filter(([name]) => responses.has(name)),
      ),
      inputs: Object.fromEntries(
        Object.entries(batch.inputs).filter(
          ([name]) => names.has(name) || (high && /^(policy|ref)\.logps?\./.test(name)),
        ),
      ),
    },
  };
}
