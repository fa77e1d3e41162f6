// Layouts of files whose rows are not pairs: three responses, samples of two models, completions with a yes or no each,
// and scores of a reward model, which have no logits at all.

import type { Batch, Params } from "../../batch/batch.ts";
import { fromResponses } from "../../batch/separate.ts";
import { fromTrl } from "../../batch/trl.ts";
import { fromUnpaired } from "../../batch/unpaired.ts";
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

/** Rows with a yes or no each, and mismatched rows for the reference point where they are recorded. */
export const unpaired: Layout = (golden) => {
  const { examples, length, vocab } = golden.shapes;
  const shape = [2 * examples, length, vocab] as const;
  const block = (prefix: string) => {
    const at = (name: string): Place => member(golden.inputs, prefix + name);
    return {
      input_ids: tensor(at("input_ids"), [2 * examples, length]),
      completion_mask: tensor(at("completion_mask"), [2 * examples, length]),
      policy_logits: tensor(at("policy_logits"), shape),
      ref_logits: tensor(at("ref_logits"), shape),
      shape,
    };
  };
  const label = numbers(member(golden.inputs, "label"));
  const ratios = member(golden.params, "udm");
  const seen = member(golden.params, "prior_batches");
  const data = {
    ...block(""),
    label,
    ...(isGiven(member(golden.inputs, "KL_input_ids")) ? { KL: block("KL_") } : {}),
    ...(isGiven(ratios) ? { examples: { prob_desirable: ofUndesirable(label, ratios) } } : {}),
  };
  return {
    batch: naming(golden.file, () => fromUnpaired(data)),
    gradient: tensor(member(golden.outputs, "grad_policy_logits"), shape),
    ...(isGiven(seen) ? { state: averageOf(seen) } : {}),
  };
};

/** The average and the number of the rewards of earlier batches. */
function averageOf(batches: Place): Params {
  const rewards = entries(batches).flatMap(numbers);
  const total = rewards.reduce((sum, reward) => sum + reward, 0);
  return { running_mean: total / Math.max(1, rewards.length), running_count: rewards.length };
}

/** Numbers that are recorded for undesirable rows only, in the order of the rows; nobody reads those of the others. */
function ofUndesirable(label: readonly number[], place: Place): readonly number[] {
  const listed = [...tensor(place, [label.filter((one) => one === 0).length])];
  return label.map((one) => (one === 1 ? 0 : listed.shift()!));
}
