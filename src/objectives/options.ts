// Options of built-in objectives as data, so that one check serves them all: what an option accepts, and one
// sentence for a name that does not exist or a value that does not fit.

import { cite, describe } from "../dsl/check.ts";
import { didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError } from "../dsl/index.ts";

/** Numbers between bounds, of which there may be one. */
export interface NumberRange {
  readonly from?: number;
  /** A lower bound that is excluded. */
  readonly above?: number;
  readonly to?: number;
  /** An upper bound that is excluded. */
  readonly below?: number;
}
/** What an option accepts: a finite number, a number of a range, a boolean, or one of several words. */
export type OptionKind = "number" | NumberRange | "boolean" | readonly string[];
/** The options of an objective by name. */
export type OptionKinds = Readonly<Record<string, OptionKind>>;

/** ε, the probability that a preference label is wrong: at one half the labels say nothing. */
export const smoothing: NumberRange = { from: 0, below: 0.5 };

/** β and what else is a scale: at 0 there would be no loss, or a division by 0. */
export const positive: NumberRange = { above: 0 };

const isRange = (kind: OptionKind): kind is NumberRange =>
  typeof kind === "object" && !Array.isArray(kind);

const within = ({ from, above, to, below }: NumberRange, value: number): boolean =>
  Number.isFinite(value) &&
  value >= (from ?? -Infinity) &&
  value > (above ?? -Infinity) &&
  value <= (to ?? Infinity) &&
  value < (below ?? Infinity);

const bounds = ({ from, above, to, below }: NumberRange): string => {
  const lower = from !== undefined ? `from ${from}` : above !== undefined ? `above ${above}` : "";
  const upper = to !== undefined ? `to ${to}` : below !== undefined ? `below ${below}` : "";
  if (lower === "" || upper === "") return lower + upper;
  return lower + (from === undefined ? " and " : to === undefined ? " to " : " ") + upper;
};

const fits = (kind: OptionKind, value: unknown): boolean => {
  if (kind === "number") return typeof value === "number" && Number.isFinite(value);
  if (kind === "boolean") return typeof value === "boolean";
  if (isRange(kind)) return typeof value === "number" && within(kind, value);
  return kind.some((word) => word === value);
};

const expected = (kind: OptionKind): string => {
  if (kind === "number") return "a finite number";
  if (kind === "boolean") return "true or false";
  if (isRange(kind)) return `a number ${bounds(kind)}`;
  return `one of ${listNames(kind)}`;
};

/** Checks options against what is accepted and returns them. @throws PrefcError unknown-option, option-value */
export function checkOptions<T extends object>(where: string, kinds: OptionKinds, options: T): T {
  if (typeof options !== "object" || options === null) {
    throw new PrefcError(
      "option-value",
      `${where}: the options are ${describe(options)}; give an object such as { beta: 0.1 }.`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const names = Object.keys(kinds);
      throw new PrefcError(
        "unknown-option",
        `${where}: there is no option ${cite(name)}; ${names.length === 0 ? "there are none" : `the options are ${listNames(names)}`}.${didYouMean(name, names)}`,
      );
    }
    if (value !== undefined && !fits(kind, value)) {
      throw new PrefcError(
        "option-value",
        `${where}: the option ${name} is ${describe(value)}; give ${expected(kind)}.`,
      );
    }
  }
  return options;
}

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
