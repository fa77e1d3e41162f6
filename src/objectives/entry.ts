// An objective that ships with the package, as a list holds it: how to make it, what its options accept, and a line that
// says what it is.

import type { Objective } from "../dsl/index.ts";
import { checkOptions, type OptionKinds } from "./options.ts";

/** Values of options by name, as a command line or a file gives them. */
export type Options = Readonly<
  Record<string, number | boolean | string | readonly (number | string)[]>
>;

/** An objective that ships with the package. */
export interface BuiltIn {
  /** The objective with these options. @throws PrefcError unknown-option, option-value */
  readonly make: (options?: Options) => Objective;
  /** What each option accepts. */
  readonly options: OptionKinds;
  /** One line for a list. */
  readonly summary: string;
}

export const entry = <T extends object>(
  name: string,
  options: OptionKinds,
  make: (options: T) => Objective,
  summary: string,
): BuiltIn => ({
  // the check against `options` is what makes the given record a T
  make: (given = {}) => make(checkOptions(name, options, given) as unknown as T),
  options,
  summary,
});
