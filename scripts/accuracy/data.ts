// Batches on which single precision is put to the test. Each kind takes a random batch of whatever the objective reads and
// writes other logits into it; all numbers are f32, so that every engine reads the same data.
import type { Batch } from "../../src/batch/batch.ts";
import { ofModel } from "../../src/core/datum.ts";
import { randomBatch, type BatchSize, type Needs } from "../../src/sample/batch.ts";
import type { Random } from "../../src/sample/random.ts";

export interface Kind {
  readonly name: string;
  /** One line for the report. */
  readonly summary: string;
  readonly size: BatchSize;
  /** How many of this kind are run for each objective. */
  readonly batches: number;
  /** The logits of a row, given ordinary ones; the label's entry and the number of the row are known. */
  readonly row: (row: Float32Array, label: number, number: number, random: Random) => void;
}

const same = (): void => undefined;
const small: BatchSize = { examples: 4, tokens: 8, vocab: [50, 1_000] };

export const kinds: readonly Kind[] = [
  {
    name: "ordinary",
    summary: "logits of deviation 0.5 to 2, vocabularies of 50 to 1,000 entries",
    size: small,
    batches: 5,
    row: same,
  },
  {
    name: "peaked",
    summary: "the label lifted by 14 to 20, so that its probability is near 1",
    size: small,
    batches: 5,
    row: (row, label, _number, random) => {
      row[label]! += 14 + 6 * random.uniform();
    },
  },
  {
    name: "extreme",
    summary:
      "logits 30 times as large, so that log-probabilities are below −100 and margins in the hundreds",
    size: small,
    batches: 5,
    row: (row) => row.forEach((z, v) => (row[v] = 30 * z)),
  },
  {
    name: "offset",
    summary: "10,000 added to every second row and taken from the others",
    size: small,
    batches: 5,
    row: (row, _label, number) =>
      row.forEach((z, v) => (row[v] = z + (number % 2 === 0 ? 1e4 : -1e4))),
  },
  {
    name: "tied",
    summary: "logits within 2^-18 of each other, many of them equal, so that margins are near 0",
    size: small,
    batches: 5,
    row: (row, _label, _number, random) =>
      row.forEach((_, v) => (row[v] = 1 + random.integer(0, 8) * 2 ** -21)),
  },
  {
    name: "long",
    summary: "completions of up to 600 tokens, 32 entries",
    size: { examples: 2, tokens: 600, vocab: [32, 32] },
    batches: 3,
    row: same,
  },
  {
    name: "wide",
    summary: "a vocabulary of 128,256 entries, as of Llama 3",
    size: { examples: 2, tokens: 2, vocab: [128_256, 128_256] },
    batches: 2,
    row: same,
  },
];

/** A batch of one kind for an objective. */
export function hardBatch(kind: Kind, needs: Needs, random: Random): Batch {
  const batch = randomBatch(needs, kind.size, random);
  for (const [name, binding] of Object.entries(batch.inputs)) {
    if (binding.height !== "logits" || !(binding.tensor.data instanceof Float32Array)) continue;
    const { labels } = batch.responses[ofModel(name)!.response]!;
    const { data } = binding.tensor;
    binding.rowIndex.forEach((row, token) => {
      const own = data.subarray(row * batch.vocab, (row + 1) * batch.vocab);
      kind.row(own, labels[token]!, token, random);
    });
  }
  return batch;
}
