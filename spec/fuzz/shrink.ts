// Makes a failing case smaller as a program and a batch: a term is replaced by one of its parts or by a number, results are
// dropped, examples, tokens and vocabulary entries are taken away, numbers lose digits. What is left is printed and kept.
import type { Batch, Binding } from "../../src/batch/batch.ts";
import { constant, substitute } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { rootsOf, trimmed, type Case } from "./case.ts";

/** The case with one node replaced in all results. */
function replaced(one: Case, target: Node, by: Node): Case {
  const names = { metrics: Object.keys(one.metrics), next: Object.keys(one.next) };
  const roots = rootsOf(one);
  const [loss, ...rest] = substitute(
    roots,
    (rebuilt, original) => (original === target ? by : rebuilt),
    topological(roots),
  );
  const own = (list: readonly string[], from: number): Readonly<Record<string, Node>> =>
    Object.fromEntries(list.map((name, n) => [name, rest[from + n]!]));
  return {
    ...one,
    loss: loss!,
    metrics: own(names.metrics, 0),
    next: own(names.next, names.metrics.length),
  };
}

const fits = (by: Node, target: Node): boolean =>
  by.dtype === target.dtype && by.axes.every((axis) => target.axes.includes(axis));

/** Smaller things that a term may be replaced by, the smallest last. */
function* termsFor(node: Node): Generator<Node> {
  if (node.tag === "const") {
    if (node.dtype === "f32" && ![0, 1, 2].includes(node.value))
      yield constant(Math.round(node.value));
    return;
  }
  if (node.dtype === "f32") yield constant(1);
  if (node.dtype === "bool") yield* [constant(1, "bool"), constant(0, "bool")];
  for (const arg of topological([node]).slice(0, -1))
    if (fits(arg, node) && arg.tag !== "const") yield arg;
}

function* smallerTerms(one: Case): Generator<Case> {
  for (const name of Object.keys(one.metrics)) {
    const { [name]: _, ...metrics } = one.metrics;
    yield { ...one, metrics };
  }
  // from the roots down: what lies near a root takes most with it
  for (const node of topological(rootsOf(one)).toReversed())
    for (const by of termsFor(node)) {
      const changed = by === node ? undefined : replacedIfPossible(one, node, by);
      if (changed !== undefined) yield changed;
    }
}

function replacedIfPossible(one: Case, target: Node, by: Node): Case | undefined {
  try {
    return replaced(one, target, by);
  } catch (error) {
    if (error instanceof PrefcError) return undefined;
    throw error;
  }
}

const without = <T extends Float32Array | Float64Array | Uint32Array>(
  values: T,
  from: number,
  to: number,
): T => values.filter((_, n) => n < from || n >= to) as T;

/** The batch without tokens `from` … `to` − 1 of a response. */
function withoutTokens(batch: Batch, response: string, from: number, to: number): Batch {
  const { offsets, labels } = batch.responses[response]!;
  const drop = (offset: number): number => offset - Math.max(0, Math.min(offset, to) - from);
  return {
    ...batch,
    responses: {
      ...batch.responses,
      [response]: { offsets: offsets.map(drop), labels: without(labels, from, to) },
    },
    inputs: Object.fromEntries(
      Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => {
        if (!name.endsWith(`.${response}`) || binding.height === "example") return [name, binding];
        return binding.height === "logits"
          ? [name, { ...binding, rowIndex: without(binding.rowIndex, from, to) }]
          : [name, { ...binding, values: without(binding.values, from, to) }];
      }),
    ),
  };
}

function withoutExample(batch: Batch, example: number): Batch {
  let smaller = batch;
  for (const [response, { offsets }] of Object.entries(batch.responses))
    smaller = withoutTokens(smaller, response, offsets[example]!, offsets[example + 1]!);
  return {
    ...smaller,
    examples: batch.examples - 1,
    responses: Object.fromEntries(
      Object.entries(smaller.responses).map(([name, { offsets, labels }]) => [
        name,
        { offsets: without(offsets, example + 1, example + 2), labels },
      ]),
    ),
    inputs: Object.fromEntries(
      Object.entries(smaller.inputs).map(([name, binding]): [string, Binding] =>
        binding.height === "example"
          ? [name, { ...binding, values: without(binding.values, example, example + 1) }]
          : [name, binding],
      ),
    ),
  };
}

/** Every tensor of logits with each row changed. */
function withRows(batch: Batch, vocab: number, change: (row: Float32Array) => Float32Array): Batch {
  const made = new Map<string, Binding>();
  const inputs = Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => {
    if (binding.height !== "logits") return [name, binding];
    const known = made.get(binding.tensor.name);
    if (known?.height === "logits") return [name, { ...binding, tensor: known.tensor }];
    const { rows, data } = binding.tensor;
    const next = new Float32Array(rows * vocab);
    for (let row = 0; row < rows; row++) {
      const own = Float32Array.from(
        (data as Float32Array).subarray(row * batch.vocab, (row + 1) * batch.vocab),
      );
      next.set(change(own), row * vocab);
    }
    const changed: Binding = { ...binding, tensor: { ...binding.tensor, data: next } };
    made.set(binding.tensor.name, changed);
    return [name, changed];
  });
  return { ...batch, vocab, inputs: Object.fromEntries(inputs) };
}

function* smallerBatches({ batch }: Case): Generator<Batch> {
  if (batch.examples > 1)
    for (let example = 0; example < batch.examples; example++) yield withoutExample(batch, example);
  for (const [response, { offsets }] of Object.entries(batch.responses))
    for (let example = 0; example < batch.examples; example++)
      for (let token = offsets[example]!; offsets[example + 1]! - offsets[example]! > 1; token++) {
        if (token >= offsets[example + 1]!) break;
        yield withoutTokens(batch, response, token, token + 1);
      }
  const labels = Object.values(batch.responses).flatMap((own) => [...own.labels]);
  const needed = Math.max(1, ...labels.map((label) => label + 1));
  for (const vocab of [needed, Math.ceil((needed + batch.vocab) / 2), batch.vocab - 1])
    if (vocab >= needed && vocab < batch.vocab)
      yield withRows(batch, vocab, (row) => row.subarray(0, vocab));
  for (const digits of [0, 1]) {
    const scale = 10 ** digits;
    const rounded = withRows(batch, batch.vocab, (row) =>
      row.map((z) => Math.round(z * scale) / scale),
    );
    if (
      JSON.stringify(Object.values(rounded.inputs)) !== JSON.stringify(Object.values(batch.inputs))
    )
      yield rounded;
  }
}

/** Cases that are a little smaller, the boldest first. A term that cannot be built is left out. */
export function* smaller(one: Case): Generator<Case> {
  for (const next of smallerTerms(one)) yield trimmed(next);
  for (const batch of smallerBatches(one)) yield trimmed({ ...one, batch });
}

/** The smallest case found that still fails, trying at most `attempts`. */
export async function shrunk(
  failing: Case,
  fails: (one: Case) => Promise<boolean>,
  attempts: number,
): Promise<Case> {
  let current = failing;
  let left = attempts;
  for (;;) {
    let better: Case | undefined;
    for (const candidate of smaller(current)) {
      if (left-- <= 0) return current;
      if (await fails(candidate)) {
        better = candidate;
        break;
      }
    }
    if (better === undefined) return current;
    current = better;
  }
}
