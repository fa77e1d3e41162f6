// How long completions are: one number for all, or the lengths of real data, which a file lists and completions take in turn.

import { readFileSync } from "node:fs";
import { PrefcError } from "../core/error.ts";
import { mention } from "../core/quote.ts";

/** Lengths that completions take in turn; null for about sixteen tokens each. */
export type Lengths = readonly number[] | null;

/** Reads --lengths: whole numbers, separated by anything else. @throws PrefcError option-value */
export function lengthsIn(given: number | string | null): Lengths {
  if (given === null) return null;
  if (typeof given === "number") return [given];
  let text: string;
  try {
    text = readFileSync(given, "utf8");
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new PrefcError(
      "option-value",
      `--lengths: ${mention(given)} cannot be read (${why}); give a number of tokens, or a file of such numbers.`,
      { cause: error },
    );
  }
  const words = text.split(/[\s,;[\]]+/).filter((word) => word !== "");
  const lengths = words.map(Number);
  const wrong = lengths.findIndex((length) => !Number.isSafeInteger(length) || length < 1);
  if (words.length === 0 || wrong >= 0) {
    throw new PrefcError(
      "option-value",
      `--lengths: ${mention(given)} ${words.length === 0 ? "holds no number" : `holds ${mention(words[wrong]!)}, which is no number of tokens`}; list whole numbers from 1.`,
    );
  }
  return lengths;
}
