// TRL's layout: the chosen sequences and then the rejected ones, padded to one length T, with logits [2B, T, V].

import { fail } from "../core/error.ts";
import type { Batch } from "./batch.ts";
import { isNested, flatten, type Nested } from "./numbers.ts";
import { storedIn } from "./source.ts";
import { requireFields, requireRecord, requireShape } from "./record.ts";
import { fromSequences, sequenceFields, type SequenceData, type Sequences } from "./sequences.ts";

export interface TrlBatch extends SequenceData {
  /** Token ids [2B, T]: rows 0 … B−1 chosen, B … 2B−1 rejected. Nested arrays, or flat with `shape`. */
  readonly input_ids: Nested;
  /** [2B, T]. Column 0 is ignored, as in TRL: nothing predicts it. */
  readonly completion_mask?: Nested;
  /** [2B, T]; needed where an objective reads the prompt. */
  readonly attention_mask?: Nested;
  /** Logits [2B, T, V]; those at t predict token t + 1. Nested, flat, or in a GPU buffer (which needs `shape`). */
  readonly policy_logits: SequenceData["policy_logits"];
  /** [2B, T, V] where nesting does not show it, as `logits.shape` gives it in PyTorch. */
  readonly shape?: readonly [rows: number, length: number, vocab: number];
}

/**
 * A batch from what a TRL trainer has in hand. Response "w" is the chosen completion, "l" the rejected one. Nothing but
 * the index is copied, unless arrays are nested. Further responses take further rows: `responses: ["w", "l", "gold"]`
 * for [3B, T].
 *
 *     fromTrl({ input_ids, completion_mask, policy_logits, ref_logits })
 *     fromTrl({ input_ids, completion_mask, policy_logits: buffer, shape: [8, 512, 128256],
 *               ref_logps: { chosen: [...], rejected: [...] } })
 *
 * @throws PrefcError "shape-needed", "shape-mismatch", "mask-length", "mask-value", "sequences-uneven" (an odd number of
 * rows), and what `checkBatch` throws.
 */
export function fromTrl(data: TrlBatch): Batch {
  requireRecord(data, "The batch");
  requireFields(data, "", [...sequenceFields, "shape", "responses"], ["logits", "logps"]);
  return fromSequences(rectangle(data, ""), data, data.shape?.[2]);
}

/** What tells the rows and their length. */
type Rectangle = Pick<TrlBatch, "input_ids" | "shape" | "policy_logits"> & {
  readonly completion_mask?: Nested | undefined;
  readonly attention_mask?: Nested | undefined;
};

/** [rows, length], where something beside flat token ids is nested and shows them. */
function besideIds({
  completion_mask,
  attention_mask,
  policy_logits,
}: Rectangle): readonly number[] | undefined {
  for (const mask of [completion_mask, attention_mask])
    if (isNested(mask)) return flatten(mask, "a mask").shape;
  const logits = policy_logits === undefined ? undefined : storedIn(policy_logits).data;
  if (!Array.isArray(logits)) return undefined;
  const { shape } = flatten(logits, "policy_logits");
  return shape.length === 3 ? shape : undefined;
}

/** Sequences padded to one length; `where` precedes the names of the fields in sentences. */
export function rectangle(data: Rectangle, where: string): Sequences {
  const { input_ids, shape } = data;
  const what = `${where}input_ids`;
  requireShape(shape, `${where}shape`);
  const ids = flatten(input_ids, what);
  const nested = isNested(input_ids) ? ids.shape : undefined;
  const [rows, length] = nested ?? shape ?? besideIds(data) ?? [];
  if (rows === undefined || length === undefined) {
    return fail(
      "shape-needed",
      `${what} is flat, so its rows cannot be told apart; give shape: [rows, length, vocabulary], of which a vocabulary size alone is not enough, or nested arrays.`,
    );
  }
  const given = shape ?? [rows, length];
  if (given[0] !== rows || given[1] !== length || ids.values.length !== rows * length) {
    fail(
      "shape-mismatch",
      `${what} has ${nested === undefined ? ids.values.length : nested.join(" × ")} entries, but shape says ${given.join(" × ")}; make them agree.`,
    );
  }
  const starts = Array.from({ length: rows + 1 }, (_, row) => row * length);
  return { ids: ids.values, starts };
}
