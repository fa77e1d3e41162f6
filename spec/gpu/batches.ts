// Random ragged batches for the GPU tests, made by the public adapters from what a trainer holds: a padded rectangle, packed
// rows, or a response at a time. Rows that no completion token uses hold NaN, which must never be read. Vocabularies are
// small, with some around the boundaries of unrolled blocks. Every number is an f32, so all engines read the same inputs.
import fc from "fast-check";
import {
  fromPacked,
  fromResponses,
  fromTrl,
  toHalf,
  type Batch,
  type LogitsTensor,
  type StorageType,
} from "../../src/index.ts";

export type Layout = "trl" | "packed" | "separate";
export type Scale = "normal" | "peaked" | "extreme";
export const pair = ["w", "l"] as const;
export const models = ["policy", "ref"] as const;

/** Everything that decides a batch, apart from how it is laid out. */
export interface Drawn {
  readonly examples: number;
  readonly vocab: number;
  /** Completion lengths by response and example. */
  readonly lengths: Readonly<Record<(typeof pair)[number], readonly number[]>>;
  readonly scale: Scale;
  /** Whether about a quarter of the logits that are not a label's are −Infinity. */
  readonly masked: boolean;
  readonly seed: number;
}

/** Numbers of [0, 1) from a seed: a linear congruence, its high bits. */
export const uniforms = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
};

/** Logits lie between ± this; a peaked label is lifted by `peak`, so that its probability is near 1. */
const amplitudes: Readonly<Record<Scale, number>> = { normal: 3, peaked: 2, extreme: 80 };
const peak = 14;

/** Completions without a place: labels and one row of logits per token and model, in the order of the response. */
export interface Content {
  readonly drawn: Drawn;
  readonly labels: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly rows: Readonly<Record<string, readonly Float32Array[]>>;
}

export const contentOf = (drawn: Drawn): Content => {
  const random = uniforms(drawn.seed);
  const { vocab, scale, masked } = drawn;
  const labels: Record<string, number[][]> = {};
  const rows: Record<string, Float32Array[]> = {};
  for (const response of pair) {
    labels[response] = drawn.lengths[response].map((length) =>
      Array.from({ length }, () => Math.floor(random() * vocab)),
    );
    for (const model of models) {
      rows[`${model}.${response}`] = labels[response].flat().map((label) => {
        const row = new Float32Array(vocab).map(() => (2 * random() - 1) * amplitudes[scale]);
        if (scale === "peaked") row[label]! += peak;
        if (masked) row.forEach((_, v) => v !== label && random() < 0.25 && (row[v] = -Infinity));
        return row;
      });
    }
  }
  return { drawn, labels, rows };
};

/** The order in which sequences lie: all chosen, then all rejected. */
const sequencesOf = ({
  labels,
}: Content): readonly { response: string; labels: readonly number[]; first: number }[] =>
  pair.flatMap((response) => {
    let first = 0;
    return labels[response]!.map((own) => {
      const sequence = { response, labels: own, first };
      first += own.length;
      return sequence;
    });
  });

/** A flat [positions, vocab] of NaN with the rows of every token written at `place(sequence) + t`. */
const spread = (
  content: Content,
  positions: number,
  starts: readonly number[],
  prompts: readonly number[],
  model: string,
): Float32Array => {
  const { vocab } = content.drawn;
  const data = new Float32Array(positions * vocab).fill(Number.NaN);
  sequencesOf(content).forEach(({ response, labels, first }, s) => {
    labels.forEach((_, t) => {
      data.set(
        content.rows[`${model}.${response}`]![first + t]!,
        (starts[s]! + prompts[s]! + t - 1) * vocab,
      );
    });
  });
  return data;
};

export interface Padding {
  /** Columns after the longest sequence. */
  readonly columns: number;
  /** Prompt tokens before each completion, at least 1. */
  readonly prompt: number;
}

/** TRL's [2B, T, V]. */
export const asTrl = (
  content: Content,
  { columns, prompt }: Padding = { columns: 1, prompt: 2 },
): Batch => {
  const { drawn } = content;
  const width = prompt + Math.max(...drawn.lengths.w, ...drawn.lengths.l) + columns;
  const sequences = sequencesOf(content);
  const starts = sequences.map((_, s) => s * width);
  const prompts = sequences.map(() => prompt);
  const ids = sequences.map(({ labels }) =>
    Array.from({ length: width }, (_, p) => labels[p - prompt] ?? 0),
  );
  const mask = sequences.map(({ labels }) =>
    Array.from({ length: width }, (_, p) => (labels[p - prompt] === undefined ? 0 : 1)),
  );
  const logits = (model: string): Float32Array =>
    spread(content, starts.length * width, starts, prompts, model);
  return fromTrl({
    input_ids: ids,
    completion_mask: mask,
    policy_logits: logits("policy"),
    ref_logits: logits("ref"),
    shape: [starts.length, width, drawn.vocab],
  });
};

/** Packed rows, with prompts of one to three tokens. */
export const asPacked = (content: Content): Batch => {
  const sequences = sequencesOf(content);
  const prompts = sequences.map((_, s) => 1 + (s % 3));
  const starts = [0];
  sequences.forEach(({ labels }, s) => starts.push(starts[s]! + prompts[s]! + labels.length));
  const logits = (model: string): Float32Array =>
    spread(content, starts.at(-1)!, starts, prompts, model);
  return fromPacked({
    input_ids: sequences.flatMap(({ labels }, s) => [
      ...Array.from({ length: prompts[s]! }, () => 0),
      ...labels,
    ]),
    completion_mask: sequences.flatMap(({ labels }, s) => [
      ...Array.from({ length: prompts[s]! }, () => 0),
      ...labels.map(() => 1),
    ]),
    cu_seqlens: starts,
    policy_logits: logits("policy"),
    ref_logits: logits("ref"),
  });
};

const joined = (rows: readonly Float32Array[], vocab: number): Float32Array => {
  const data = new Float32Array(rows.length * vocab);
  rows.forEach((row, position) => data.set(row, position * vocab));
  return data;
};

/** A tensor for each response and model. */
export const asSeparate = (content: Content): Batch => {
  const { vocab } = content.drawn;
  const one = (response: string) => ({
    labels: content.labels[response]!,
    policy_logits: joined(content.rows[`policy.${response}`]!, vocab),
    ref_logits: joined(content.rows[`ref.${response}`]!, vocab),
  });
  return fromResponses({ w: one("w"), l: one("l") }, { vocab_size: vocab });
};

export const laidOut = (content: Content, layout: Layout): Batch =>
  layout === "trl" ? asTrl(content) : layout === "packed" ? asPacked(content) : asSeparate(content);

/** Sizes at which the last block of vectors is full, one short, or one too long, for 4 to 8 lanes of 1 to 4 vectors. */
const boundaries = [63, 64, 65, 127, 128, 129, 132, 192, 256, 260, 511, 512, 700];

export interface DrawOptions {
  readonly scales?: readonly Scale[];
  readonly masked?: boolean;
  readonly maxVocab?: number;
  readonly maxLength?: number;
}

export const draws = ({
  scales = ["normal", "peaked", "extreme"],
  masked,
  maxVocab,
  maxLength = 5,
}: DrawOptions = {}): fc.Arbitrary<Drawn> => {
  const small = fc.integer({ min: 1, max: Math.min(40, maxVocab ?? 40) });
  // a wide vocabulary with one short example: what matters there is where a row ends
  const wide =
    maxVocab === undefined
      ? fc.integer({ min: 0, max: 6 }).map((n) => n === 0)
      : fc.constant(false);
  return fc.tuple(fc.integer({ min: 1, max: 3 }), wide).chain(([many, isWide]) => {
    const examples = isWide ? 1 : many;
    const lengths = fc.array(fc.integer({ min: 1, max: isWide ? 2 : maxLength }), {
      minLength: examples,
      maxLength: examples,
    });
    return fc.record({
      examples: fc.constant(examples),
      vocab: isWide ? fc.constantFrom(...boundaries) : small,
      lengths: fc.record({ w: lengths, l: lengths }),
      scale: fc.constantFrom(...scales),
      masked: masked === undefined ? fc.boolean() : fc.constant(masked),
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
  });
};

export const layouts: fc.Arbitrary<Layout> = fc.constantFrom("trl", "packed", "separate");

/** The batch with values for every input above logits: log-probabilities per token and per sequence, scores, numbers. */
export const withHighInputs = (batch: Batch, seed: number): Batch => {
  const random = uniforms(seed);
  const numbers = (count: number, size: number): Float32Array =>
    new Float32Array(count).map(() => -size * random());
  const inputs = { ...batch.inputs };
  for (const response of pair) {
    const tokens = batch.responses[response]!.labels.length;
    for (const model of models) {
      inputs[`${model}.logp.${response}`] = { height: "token", values: numbers(tokens, 5) };
      inputs[`${model}.logps.${response}`] = {
        height: "example",
        values: numbers(batch.examples, 20),
      };
    }
    inputs[`reward.${response}`] = { height: "example", values: numbers(batch.examples, 4) };
    inputs[`tokens.given.${response}`] = { height: "token", values: numbers(tokens, 2) };
  }
  inputs["example.given"] = { height: "example", values: numbers(batch.examples, 2) };
  return { ...batch, inputs };
};

/** The batch with the logits of each model stored in a type of its own: rounded, and as the bits of a 16-bit type. */
export const storedAs = (
  batch: Batch,
  dtypes: Readonly<Record<(typeof models)[number], StorageType>>,
): Batch => {
  const made = new Map<LogitsTensor, LogitsTensor>();
  const inputs = Object.entries(batch.inputs).map(([name, binding]) => {
    const dtype = dtypes[name.startsWith("ref.") ? "ref" : "policy"];
    if (binding.height !== "logits" || dtype === "f32") return [name, binding] as const;
    const { tensor } = binding;
    const data = toHalf(tensor.data as Float32Array, dtype);
    if (!made.has(tensor)) made.set(tensor, { ...tensor, data, dtype });
    return [name, { ...binding, tensor: made.get(tensor)! }] as const;
  });
  return { ...batch, inputs: Object.fromEntries(inputs) };
};
