// Options, wherever they are taken: what each accepts is data, and one check gives one sentence for what is no object of
// options, for a name that does not exist, and for a value that does not fit. An option that is undefined is left out.

import { describe } from "./describe.ts";
import { fail, type ErrorCode } from "./error.ts";
import { didYouMean, listNames } from "./names.ts";
import { cite } from "./quote.ts";
import { inRange, rangeText, type NumberRange } from "./range.ts";

/** What an option accepts where no other kind says it. */
export interface Accepted {
  /** What to give, such as "an open device". */
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/** One or several of a kind: words, or finite numbers. */
export interface ListKind {
  readonly listOf: readonly string[] | "number";
}

/**
 * What an option accepts: a finite number, a number of a range, a boolean, one of several words, one or several of a kind, or
 * what a test says.
 */
export type OptionKind =
  | "number"
  | NumberRange
  | "boolean"
  | readonly string[]
  | ListKind
  | Accepted;

/** The options of a function by name. */
export type OptionKinds = Readonly<Record<string, OptionKind>>;

/** The options of a type, each with what it accepts: one that the type gains or loses is a type error here. */
export type KindsOf<T> = Readonly<Record<keyof T & string, OptionKind>>;

/** A value that something else checks. */
export const checkedElsewhere: Accepted = { expected: "a value", fits: () => true };

const isAccepted = (kind: OptionKind): kind is Accepted =>
  typeof kind === "object" && "expected" in kind;
/** Whether an option may be a list. */
export const isListKind = (kind: OptionKind | undefined): kind is ListKind =>
  typeof kind === "object" && "listOf" in kind;
const isWords = (kind: OptionKind): kind is readonly string[] => Array.isArray(kind);

const fits = (kind: OptionKind, value: unknown): boolean => {
  if (kind === "number") return typeof value === "number" && Number.isFinite(value);
  if (kind === "boolean") return typeof value === "boolean";
  if (isAccepted(kind)) return kind.fits(value);
  if (isListKind(kind)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.every((one) => fits(kind.listOf, one));
  }
  if (isWords(kind)) return kind.some((word) => word === value);
  return typeof value === "number" && inRange(kind, value);
};

const expected = (kind: OptionKind): string => {
  if (kind === "number") return "a finite number";
  if (kind === "boolean") return "true or false";
  if (isAccepted(kind)) return kind.expected;
  if (isListKind(kind))
    return kind.listOf === "number"
      ? "a finite number or a list of them"
      : `one or a list of ${listNames(kind.listOf)}`;
  return isWords(kind) ? `one of ${listNames(kind)}` : `a number ${rangeText(kind)}`;
};

/** Whether a value can hold options by name. */
export const isOptionsObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Promise);

export interface OptionAdvice {
  /** An object of options as it may be written, for the sentence about something else. */
  readonly example?: string;
  /** What to say of a name that is no option; replaces what was probably meant. */
  readonly hint?: (name: string) => string | undefined;
  /** The code of a value that does not fit, where an option has one of its own. */
  readonly codes?: Readonly<Record<string, ErrorCode>>;
}

/**
 * Checks options against what is accepted and returns them.
 * @param where begins the sentence: the name of the function
 * @throws PrefcError unknown-option, option-value
 */
export function checkOptions<T extends object>(
  where: string,
  kinds: OptionKinds,
  options: T,
  { example = "{ beta: 0.1 }", hint, codes = {} }: OptionAdvice = {},
): T {
  if (!isOptionsObject(options)) {
    const forgot = (options as unknown) instanceof Promise ? "; await it" : "";
    fail(
      "option-value",
      `${where}: the options are ${describe(options)}${forgot}; give an object such as ${example}.`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const names = Object.keys(kinds);
      const known = names.length === 0 ? "there are none" : `the options are ${listNames(names)}`;
      fail(
        "unknown-option",
        `${where}: there is no option ${cite(name)}; ${known}.${hint?.(name) ?? didYouMean(name, names)}`,
      );
    }
    if (value !== undefined && !fits(kind, value)) {
      fail(
        codes[name] ?? "option-value",
        `${where}: the option ${name} is ${describe(value)}; give ${expected(kind)}.`,
      );
    }
  }
  return options;
}
