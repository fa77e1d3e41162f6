// Options of built-in objectives as data, so that one check serves them all: what an option accepts, and one
// sentence for a name that does not exist or a value that does not fit.

import { didYouMean, describe, listNames } from "../dsl/check.ts";
import { PrefcError } from "../dsl/index.ts";

/** What an option accepts: a finite number, a boolean, or one of several words. */
export type OptionKind = "number" | "boolean" | readonly string[];
/** The options of an objective by name. */
export type OptionKinds = Readonly<Record<string, OptionKind>>;

const fits = (kind: OptionKind, value: unknown): boolean => {
  if (kind === "number") return typeof value === "number" && Number.isFinite(value);
  if (kind === "boolean") return typeof value === "boolean";
  return kind.some((word) => word === value);
};

const expected = (kind: OptionKind): string =>
  kind === "number"
    ? "a finite number"
    : kind === "boolean"
      ? "true or false"
      : `one of ${listNames(kind)}`;

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
        `${where}: there is no option ${JSON.stringify(name)}; ${names.length === 0 ? "there are none" : `the options are ${listNames(names)}`}.${didYouMean(name, names)}`,
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
