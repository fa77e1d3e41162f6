// Words, numbers and lists of the benchmark's options. Whatever is wrong ends in one sentence that names the option.

import { PrefcError } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import { cite } from "../core/quote.ts";

const refuse = (sentence: string): never => {
  throw new PrefcError("option-value", sentence);
};

/** The parts of a list that is separated by commas, each once. */
export const list = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ),
];

/** Words of a list, each of them one of those that are known. @throws PrefcError option-value */
export function words<const T extends string>(
  name: string,
  text: string,
  known: readonly T[],
): readonly T[] {
  const given = list(text);
  if (given.length === 0) refuse(`--${name}: nothing is named; choose from ${known.join(", ")}.`);
  return given.map(
    (word) =>
      known.find((one) => one === word) ??
      refuse(
        `--${name}: ${cite(word)} is not known; choose from ${known.join(", ")}.${didYouMean(word, known)}`,
      ),
  );
}

/** A whole number of at least `least`. @throws PrefcError option-value */
export function whole(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  return refuse(`--${name}: ${cite(text)} is not a whole number of at least ${least}.`);
}

/** Whole numbers from 1. @throws PrefcError option-value */
export const wholes = (name: string, text: string): readonly number[] => {
  const given = list(text);
  if (given.length === 0) refuse(`--${name}: no number is given; write for example --${name} 256.`);
  return given.map((part) => whole(name, part, 1));
};

/** A share from 0 to below 1. @throws PrefcError option-value */
export function share(name: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= 0 && value < 1) return value;
  return refuse(`--${name}: ${cite(text)} is not a share from 0 to below 1.`);
}
