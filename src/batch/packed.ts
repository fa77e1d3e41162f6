// The padding-free layout: all sequences one after the other in a single row of positions, with cumulative lengths as
// variable-length attention kernels take them, and logits [positions, V].

import { fail } from "../core/error.ts";
import type { Batch } from "./batch.ts";
import { flatten, indices, type Nested, type Numbers } from "./numbers.ts";
import { requireFields, requireRecord } from "./record.ts";
import { fromSequences, sequenceFields, type SequenceData } from "./sequences.ts";

export interface PackedBatch extends SequenceData {
  /** Token ids of all sequences, [N] (or [1, N]). */
  readonly input_ids: Nested;
  /** Cumulative lengths [sequences + 1]: sequence s is positions cu_seqlens[s] … cu_seqlens[s+1]−1. */
  readonly cu_seqlens: Numbers;
  /** Width of a logits row; needed only where logits are in a GPU buffer. */
  readonly vocab_size?: number;
}

/**
 * A batch from packed rows, every mask [N] (or [1, N]): with B examples, sequences 0 … B−1 are the chosen completions "w" and B … 2B−1 the rejected
 * ones "l", unless `responses` says otherwise.
 *
 *     fromPacked({ input_ids, completion_mask, cu_seqlens: [0, 5, 9, 16, 20], policy_logits, ref_logits })
 *
 * @throws PrefcError "offsets-start", "offsets-not-ascending", "offsets-length", "mask-length", "mask-value",
 * "sequences-uneven", and what `checkBatch` throws.
 */
export function fromPacked(data: PackedBatch): Batch {
  requireRecord(data, "The batch");
  const own = ["cu_seqlens", "vocab_size", "responses"];
  requireFields(data, "", [...sequenceFields, ...own], ["logits", "logps"]);
  const ids = flatten(data.input_ids, "input_ids").values;
  const starts = indices(data.cu_seqlens, "cu_seqlens");
  if (starts[0] !== 0) {
    fail("offsets-start", `cu_seqlens starts at ${starts[0]}; it must start at 0.`);
  }
  starts.forEach((start, s) => {
    if (start >= (starts[s - 1] ?? 0)) return;
    fail(
      "offsets-not-ascending",
      `cu_seqlens falls from ${starts[s - 1]} to ${start} at sequence ${s - 1}; it must ascend.`,
    );
  });
  if (starts.at(-1) !== ids.length) {
    fail(
      "offsets-length",
      `cu_seqlens ends at ${starts.at(-1)}, but there are ${ids.length} token ids; the two must agree.`,
    );
  }
  return fromSequences({ ids, starts }, data, data.vocab_size);
}
