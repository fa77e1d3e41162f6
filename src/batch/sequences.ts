// Prompt and completion in one sequence, as trainers hold them: token ids with a mask that marks the completion.
// Logits at a position predict the token after it, so a completion token at position p reads row p − 1, and the first
// token of a sequence is predicted by nothing. Padded rectangles and packed rows differ only in where sequences start.

import { fail } from "../core/error.ts";
import { logitsOf, type ModelName } from "../core/inputs.ts";
import { assemble, entriesOf, type Entry, type Extras } from "./assemble.ts";
import type { Batch, ResponseTokens } from "./batch.ts";
import { readLogits, type LogitsSource } from "./source.ts";

export interface Sequences {
  readonly ids: ArrayLike<number>;
  readonly mask: ArrayLike<number>;
  /** Sequence s is the positions starts[s] … starts[s+1]−1. */
  readonly starts: ArrayLike<number>;
}

interface Completions {
  readonly tokens: ResponseTokens;
  readonly rowIndex: Uint32Array;
}

/** The completion tokens of the sequences first … first + examples − 1, and the rows that predict them. */
function completionsOf(
  sequences: Sequences,
  response: string,
  first: number,
  examples: number,
): Completions {
  const { ids, mask, starts } = sequences;
  const offsets = [0];
  const labels: number[] = [];
  const rows: number[] = [];
  for (let example = 0; example < examples; example++) {
    const [from, to] = [starts[first + example]!, starts[first + example + 1]!];
    for (let position = from + 1; position < to; position++) {
      if (mask[position] === 0) continue;
      const label = ids[position]!;
      if (!Number.isInteger(label) || label < 0 || label >= 2 ** 32) {
        fail(
          "label-out-of-range",
          `Token ${labels.length - offsets.at(-1)!} of example ${example} in response "${response}" has label ${label} (input_ids[${first + example}][${position - from}]); labels are whole numbers from 0 upward, and tokens to be ignored have completion_mask 0.`,
        );
      }
      labels.push(label);
      rows.push(position - 1);
    }
    offsets.push(labels.length);
  }
  const tokens = { offsets: Uint32Array.from(offsets), labels: Uint32Array.from(labels) };
  return { tokens, rowIndex: Uint32Array.from(rows) };
}

function checkMask({ ids, mask }: Sequences): void {
  if (mask.length !== ids.length) {
    fail(
      "mask-length",
      `completion_mask has ${mask.length} entries for ${ids.length} token ids; give one for each.`,
    );
  }
  const wrong = Array.from(mask).findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) {
    fail("mask-value", `completion_mask is ${mask[wrong]} at position ${wrong}; give 0 or 1.`);
  }
}

/** What every layout of whole sequences brings. */
export interface SequenceData extends Extras {
  readonly policy_logits: LogitsSource;
  readonly ref_logits?: LogitsSource;
  /** The responses in the order of their sequences: all of the first, then all of the second. Default: "w", "l". */
  readonly responses?: readonly string[];
}

/**
 * A batch of whole sequences: with B examples, sequences 0 … B−1 are the first response, B … 2B−1 the second. Both
 * responses share the tensors "policy" and "ref", with one row of `vocab` numbers per position.
 */
export function fromSequences(
  sequences: Sequences,
  data: SequenceData,
  vocab: number | undefined,
): Batch {
  checkMask(sequences);
  const names = data.responses ?? ["w", "l"];
  const count = sequences.starts.length - 1;
  const examples = count / names.length;
  if (!Number.isInteger(examples)) {
    fail(
      "sequences-uneven",
      `${count} sequences cannot be shared evenly by the responses ${names.map((name) => `"${name}"`).join(", ")}; give as many of each.`,
    );
  }
  if (examples < 1)
    fail("empty-batch", "The batch has no sequences; give at least one per response.");

  const found = names.map((name, n) => completionsOf(sequences, name, n * examples, examples));
  const rows = sequences.ids.length;
  const policy = readLogits(data.policy_logits, "policy", "policy_logits", rows, vocab);
  const bound = (model: ModelName, tensor: typeof policy.tensor): readonly Entry[] =>
    names.map((name, n) => [
      logitsOf(model, name),
      { height: "logits", tensor, rowIndex: found[n]!.rowIndex },
    ]);
  const reference =
    data.ref_logits === undefined
      ? []
      : bound("ref", readLogits(data.ref_logits, "ref", "ref_logits", rows, policy.vocab).tensor);
  const responses = Object.fromEntries(names.map((name, n) => [name, found[n]!.tokens]));
  return assemble({ examples, vocab: policy.vocab, responses }, [
    ...bound("policy", policy.tensor),
    ...reference,
    ...entriesOf(data, names),
  ]);
}
