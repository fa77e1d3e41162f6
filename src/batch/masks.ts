// Which tokens of whole sequences belong to the completion: what a mask says, and what the mark of a token without loss says.

import { fail } from "../core/error.ts";
import { flatten } from "./numbers.ts";
import type { Nested } from "./numbers.ts";
import type { SequenceParts, Sequences } from "./sequences.ts";

/** A mask over all positions. @throws PrefcError "mask-length" or "mask-value", naming the mask */
export function readMask(source: Nested, name: string, { ids }: Sequences): ArrayLike<number> {
  const mask = flatten(source, name).values;
  if (mask.length !== ids.length) {
    fail(
      "mask-length",
      `${name} has ${mask.length} entries for ${ids.length} token ids; give one for each.`,
    );
  }
  const wrong = Array.from(mask).findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) {
    fail("mask-value", `${name} is ${mask[wrong]} at position ${wrong}; give 0 or 1.`);
  }
  return mask;
}

/** The label of a token without loss, as PyTorch's cross_entropy and trainers mark it. */
export const ignoredLabel = -100;

/**
 * 1 where a token belongs to the completion: what the mask says, but never where the token id is the mark of a token without
 * loss; without a mask, that mark alone decides.
 * @throws PrefcError "mask-needed", and what `readMask` throws
 */
export function completionOf(
  { completion_mask, attention_mask }: Partial<SequenceParts>,
  where: string,
  sequences: Sequences,
): ArrayLike<number> {
  const ids = Array.from(sequences.ids);
  if (completion_mask !== undefined) {
    const mask = readMask(completion_mask, `${where}completion_mask`, sequences);
    return ids.includes(ignoredLabel)
      ? ids.map((id, position) => (id === ignoredLabel ? 0 : mask[position]!))
      : mask;
  }
  if (ids.includes(ignoredLabel)) return ids.map((id) => (id === ignoredLabel ? 0 : 1));
  const only =
    attention_mask === undefined
      ? ""
      : " attention_mask marks the prompt and the completion alike, so it cannot stand for it.";
  return fail(
    "mask-needed",
    `${where}completion_mask is missing; give 1 for completion tokens and 0 for all others.${only}`,
  );
}
