// What an objective says of the numbers that it is given: whether they are learned, and which values they have. The
// meaning of a loss does not depend on the values declared: they are what `check` draws.

import { exampleInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import { checkOptions, type OptionKinds } from "./check.ts";

/** Kinds of numbers that have a name. */
const numberKinds = ["real", "positive", "probability", "logp"] as const;
export type NumberKind = (typeof numberKinds)[number];

/** Which values an input has: one of these ways. */
export interface Values {
  /** The smallest value. */
  readonly from?: number;
  /** The largest value. */
  readonly to?: number;
  /** The only values. */
  readonly oneOf?: readonly number[];
  /** Larger than a number per example of this name: `example("score_w", { above: "score_l" })`. */
  readonly above?: string;
  /** Any real number, a positive one, a probability (between 0 and 1), or a logarithm of one. */
  readonly kind?: NumberKind;
}
/** What is said of an input of the user's own. */
export interface InputOptions extends Values {
  /** Whether the gradient is taken with respect to it: it comes back under the name of the input. */
  readonly learned?: boolean;
}
/** What was declared, by input name. */
export type Declared = Readonly<Record<string, Values>>;

const isFinite = (value: unknown): boolean => Number.isFinite(value);
const kinds: OptionKinds = {
  learned: "boolean",
  from: "number",
  to: "number",
  oneOf: {
    expected: "a list of finite numbers",
    fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isFinite),
  },
  above: {
    expected: "the name of a number per example",
    fits: (value) => typeof value === "string" && value !== "",
  },
  kind: numberKinds,
};

/** Reads what is declared of an input; `where` begins the sentences. @throws PrefcError "unknown-option", "option-value" */
export function readDeclaration(
  where: string,
  options: InputOptions,
): { readonly learned: boolean; readonly values: Values | null } {
  const { learned = false, ...values } = checkOptions(where, kinds, options, {
    example: "{ from: 0, to: 1 }",
  });
  const { from, to, oneOf, above, kind } = values;
  if (from !== undefined && to !== undefined && from > to) {
    fail(
      "option-value",
      `${where}: from ${from} to ${to} is empty; give the smaller number first.`,
    );
  }
  const ways = [from ?? to, oneOf, above, kind].filter((way) => way !== undefined);
  if (ways.length > 1) {
    fail(
      "option-value",
      `${where}: its values are declared in ${ways.length} ways; choose one of from and to, oneOf, above, or kind.`,
    );
  }
  return {
    learned,
    values:
      ways.length === 0
        ? null
        : { ...values, ...(above === undefined ? {} : { above: nameOf(above) }) },
  };
}

const nameOf = (example: string): string => {
  const node = exampleInput(example);
  return node.tag === "input" ? node.name : example;
};

/** Collects what a formula declares while it is read. */
export class Declarations {
  readonly #found = new Map<string, Values>();

  /** @throws PrefcError "input-declared-twice" where it was declared otherwise before */
  add(where: string, name: string, values: Values | null): void {
    if (values === null) return;
    const before = this.#found.get(name);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(values)) {
      fail(
        "input-declared-twice",
        `${where}: the values of this input are declared twice, as ${JSON.stringify(before)} and as ${JSON.stringify(values)}; declare them once.`,
      );
    }
    this.#found.set(name, values);
  }

  all(): Declared {
    return Object.freeze(Object.fromEntries(this.#found));
  }
}
