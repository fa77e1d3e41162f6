// Options of built-in objectives: the ranges that several share, and options that a chosen form does not read. What is wrong
// with a single option is told by the one check of the package (src/core/options.ts).

import { cite, listNames } from "../dsl/check.ts";
import type { Accepted, NumberRange } from "../dsl/check.ts";
import { PrefcError } from "../dsl/index.ts";
import { isRelease, releaseWords } from "./trl-releases.ts";

export { checkOptions, isListKind } from "../dsl/check.ts";
export type { Accepted, ListKind, NumberRange, OptionKind, OptionKinds } from "../dsl/check.ts";

/** ε, the probability that a preference label is wrong: at one half the labels say nothing. */
export const smoothing: NumberRange = { from: 0, below: 0.5 };

/** β and what else is a scale: at 0 there would be no loss, or a division by 0. */
export const positive: NumberRange = { above: 0 };

/** A release of TRL. */
export const release: Accepted = { expected: releaseWords, fits: isRelease };

/**
 * Refuses options that the chosen form of an objective does not read.
 * `readers` lists, for such an option, the values of `choice` under which it is read.
 * @throws PrefcError option-does-not-apply
 */
export function checkApplies(
  where: string,
  choice: string,
  chosen: string,
  options: object,
  readers: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, values] of Object.entries(readers)) {
    const given: unknown = (options as Readonly<Record<string, unknown>>)[name];
    if (given === undefined || values.includes(chosen)) continue;
    throw new PrefcError(
      "option-does-not-apply",
      `${where}: ${name} does not apply to ${choice} ${cite(chosen)}; it is read with ${listNames(values)} only.`,
    );
  }
}
