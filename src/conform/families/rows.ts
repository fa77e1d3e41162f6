// Layouts of files whose rows are not pairs: three responses, samples of two models, completions with a yes or no each,
// and scores of a reward model, which have no logits at all.

import type { Batch } from "../../batch/batch.ts";
import { fromResponses } from "../../batch/separate.ts";
import { fromTrl } from "../../batch/trl.ts";
import { isGiven } from "../golden.ts";
import { naming, type Layout } from "../layout.ts";
import { entries, member, tensor, type Place } from "../place.ts";

/** Numbers, or yes and no as 1 and 0. */
const numbers = (place: Place): readonly number[] =>
  entries(place).map((entry) =>
    typeof entry.value === "boolean" ? Number(entry.value) : tensor(entry, [])[0]!,
  );

/** B rows for each response, one response after the other, and numbers per example under their recorded names. */
export const rowsOf =
  (responses: readonly string[], examples: readonly string[] = []): Layout =>
  (golden) => {
    const { examples: each, length, vocab } = golden.shapes;
    const rows = responses.length * each;
    const at = (name: string): Place => member(golden.inputs, name);
    const logits = (name: string): Float64Array => tensor(at(name), [rows, length, vocab]);
    const data = {
      input_ids: tensor(at("input_ids"), [rows, length]),
      completion_mask: tensor(at("completion_mask"), [rows, length]),
      attention_mask: tensor(at("attention_mask"), [rows, length]),
      policy_logits: logits("policy_logits"),
      ...(isGiven(at("ref_logits")) ? { ref_logits: logits("ref_logits") } : {}),
      shape: [rows, length, vocab] as const,
      responses,
      examples: Object.fromEntries(examples.map((name) => [name, numbers(at(name))])),
    };
    return {
      batch: naming(golden.file, () => fromTrl(data)),
      gradient: tensor(member(golden.outputs, "grad_policy_logits"), [rows, length, vocab]),
    };
  };

/** Scores of the chosen and then of the rejected responses; the responses themselves are one token each, which nobody reads. */
export const scored: Layout = (golden) => {
  const { examples } = golden.shapes;
  const all = tensor(member(golden.params, "rewards"), [2 * examples]);
  const margin = member(golden.params, "margin");
  const one = { labels: Array.from({ length: examples }, () => [0]) };
  const batch: Batch = naming(golden.file, () =>
    fromResponses(
      {
        w: { ...one, reward: all.subarray(0, examples) },
        l: { ...one, reward: all.subarray(examples) },
      },
      {
        vocab_size: 1,
        examples: {
          margin: isGiven(margin) ? tensor(margin, [examples]) : new Float64Array(examples),
        },
      },
    ),
  );
  return {
    batch,
    gradient: tensor(member(golden.outputs, "grad_policy_logits"), [2 * examples, 1]),
  };
};
