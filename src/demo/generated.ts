// A batch of the size that kernels are for: the vocabulary of Llama 3, in TRL's layout. The numbers are made from a
// seed and look like those of a language model: a broad background, and a few tokens that carry most of the
// probability, the label usually among them. The reference is the policy with a little noise.
import { random } from "../sample/random.ts";
import { fromTrl, type Batch } from "../index.ts";

/** Vocabulary size of Llama 3. */
export const llama3Vocabulary = 128_256;

/** Tokens of the prompt, the chosen and the rejected completion of each example. */
const lengths = [
  { prompt: 3, chosen: 4, rejected: 3 },
  { prompt: 2, chosen: 3, rejected: 5 },
] as const;

/** Two preference pairs over `vocab` entries. */
export function generated(seed: number, vocab: number = llama3Vocabulary): Batch {
  const { uniform: next } = random(seed, 0);
  const token = (): number => Math.floor(next() * vocab);
  // three uniforms add up to something bell-shaped, with standard deviation 1/2
  const noise = (): number => next() + next() + next() - 1.5;

  const rows = lengths.length * 2;
  const length = Math.max(...lengths.map((e) => e.prompt + Math.max(e.chosen, e.rejected)));
  const prompts = lengths.map(({ prompt }) => Array.from({ length: prompt }, token));
  const sequences = (["chosen", "rejected"] as const).flatMap((side) =>
    lengths.map((example, b) => [...prompts[b]!, ...Array.from({ length: example[side] }, token)]),
  );
  const padded = (values: readonly number[]): readonly number[] =>
    Array.from({ length }, (_, t) => values[t] ?? 0);
  const input_ids = sequences.map(padded);
  const completion_mask = sequences.map((ids, row) =>
    padded(ids.map((_, t) => (t < lengths[row % lengths.length]!.prompt ? 0 : 1))),
  );

  const policy_logits = new Float32Array(rows * length * vocab);
  const ref_logits = new Float32Array(rows * length * vocab);
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t + 1 < length; t++) {
      const start = (row * length + t) * vocab;
      const z = policy_logits.subarray(start, start + vocab);
      for (let v = 0; v < vocab; v++) z[v] = 3 * noise();
      for (let candidate = 0; candidate < 8; candidate++) z[token()]! += 14 - candidate;
      z[input_ids[row]![t + 1]!]! += 12 + 2 * noise();
      for (let v = 0; v < vocab; v++) ref_logits[start + v] = z[v]! + noise() / 2;
    }
  }
  return fromTrl({
    input_ids,
    completion_mask,
    policy_logits,
    ref_logits,
    shape: [rows, length, vocab],
  });
}
