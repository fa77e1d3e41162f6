// Unpaired feedback, as TRL's KTO and BCO trainers hold it: every row is an example of its own, one completion with a
// yes or no. KTO also estimates a divergence on mismatched completions: the prompt of an example with the answer to
// another one. Those are a second response of the same examples, with logits of their own.

import { fail } from "../core/error.ts";
import { exampleInput } from "../core/inputs.ts";
import { assemble, entriesOf, perExample, type Entry } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import { reals, type Nested, type Numbers } from "./numbers.ts";
import { requireFields, requireRecord } from "./record.ts";
import { readSequences, sequenceFields, type Contents, type SequenceParts } from "./sequences.ts";
import type { LogitsSource } from "./source.ts";
import { rectangle } from "./trl.ts";

/** The mismatched completions, row by row: TRL's fields of the same names with the prefix `KL_`. */
export interface MismatchedRows {
  /** Token ids [B, T']; T' need not be the T of the other rows. */
  readonly input_ids: Nested;
  readonly completion_mask?: Nested;
  /** Logits [B, T', V]. */
  readonly policy_logits: LogitsSource;
  readonly [modelLogits: `${string}_logits`]: LogitsSource | undefined;
  /** [B, T', V] where nesting does not show it. */
  readonly shape?: readonly [rows: number, length: number, vocab: number];
}

export interface UnpairedBatch extends SequenceParts {
  /** Token ids [B, T]. Nested arrays, or flat with `shape`. */
  readonly input_ids: Nested;
  /** Whether each completion is desirable, [B]: `label` in TRL's batches. Objectives read it as "desirable". */
  readonly label: Numbers;
  /** [B, T, V] where nesting does not show it. */
  readonly shape?: readonly [rows: number, length: number, vocab: number];
  readonly KL?: MismatchedRows;
}

function labelEntry(label: Numbers, examples: number): Entry {
  const values = reals(label, "label");
  const wrong = values.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) {
    fail(
      "label-not-boolean",
      `label is ${values[wrong]} at row ${wrong}; give true for a desirable completion and false for an undesirable one.`,
    );
  }
  if (values.length !== examples) {
    fail(
      "label-length",
      `label has ${values.length} entries for ${examples} rows; give one for each.`,
    );
  }
  return [exampleInput("desirable"), perExample(values, "label")];
}

function mismatched(rows: MismatchedRows, { examples, vocab }: Contents): Contents {
  requireRecord(rows, "KL");
  const fields = ["input_ids", "completion_mask", "attention_mask", "shape"];
  requireFields(rows, "KL.", fields, ["logits"]);
  const contents = readSequences(
    rectangle(rows, "KL."),
    { ...rows, responses: ["kl"] },
    rows.shape?.[2] ?? vocab,
    { where: "KL.", suffix: ".kl" },
  );
  if (contents.examples !== examples) {
    fail(
      "sequences-uneven",
      `KL.input_ids has ${contents.examples} rows for ${examples} examples; give each example one mismatched completion.`,
    );
  }
  if (contents.vocab !== vocab) {
    fail(
      "vocabulary-differs",
      `KL.policy_logits has rows of ${contents.vocab} numbers, but policy_logits has rows of ${vocab}; make them agree.`,
    );
  }
  return contents;
}

/**
 * A batch of rows with a yes or no each. The completion of a row is the response "y", the mismatched one "kl"; the label
 * is the number "desirable" of its example, 1 or 0. Log-probabilities that were computed before go by these names:
 * `ref_logps: { y: […], kl: […] }`.
 *
 *     fromUnpaired({ input_ids, completion_mask, label: [true, false], policy_logits, ref_logits,
 *                    KL: { input_ids: KL_input_ids, completion_mask: KL_completion_mask,
 *                          policy_logits: KL_policy_logits, ref_logits: KL_ref_logits } })
 *
 * @throws PrefcError "label-length", "label-not-boolean", "sequences-uneven", "vocabulary-differs", and what `fromTrl`
 * throws.
 */
export function fromUnpaired(data: UnpairedBatch): Batch {
  requireRecord(data, "The batch");
  requireFields(data, "", [...sequenceFields, "label", "shape", "KL"], ["logits", "logps"]);
  const rows = { ...data, responses: ["y"] };
  const own = readSequences(rectangle(data, ""), rows, data.shape?.[2]);
  const other = data.KL === undefined ? null : mismatched(data.KL, own);
  const names = other === null ? ["y"] : ["y", "kl"];
  const { examples, vocab } = own;
  const responses = { ...own.responses, ...other?.responses };
  return assemble({ examples, vocab, responses }, [
    ...own.entries,
    ...(other?.entries ?? []),
    labelEntry(data.label, examples),
    ...entriesOf(data, names),
  ]);
}
