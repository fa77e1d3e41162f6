// Words, numbers and lists of the benchmark's command line. Whatever is wrong ends in one sentence that names the option.

import { parseArgs } from "node:util";
import { didYouMean } from "../src/core/names.ts";

/** The parts of a list that is separated by commas, each once. */
export const list = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ),
];

/** Words of a list, each of them one of those that are known. */
export function words<const T extends string>(
  name: string,
  text: string,
  known: readonly T[],
): readonly T[] {
  const given = list(text);
  if (given.length === 0)
    throw new Error(`--${name}: nothing is named; choose from ${known.join(", ")}.`);
  return given.map((word) => {
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    throw new Error(`--${name}: "${word}" is not known; choose from ${known.join(", ")}.`);
  });
}

/** A whole number of at least `least`. */
export function whole(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: "${text}" is not a whole number of at least ${least}.`);
}

/** Whole numbers from 1. */
export const wholes = (name: string, text: string): readonly number[] => {
  const given = list(text);
  if (given.length === 0)
    throw new Error(`--${name}: no number is given; write for example --${name} 256.`);
  return given.map((part) => whole(name, part, 1));
};

/** A share from 0 to below 1. */
export function share(name: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= 0 && value < 1) return value;
  throw new Error(`--${name}: "${text}" is not a share from 0 to below 1.`);
}

/** What kind of option each name is; "perhaps" takes a value only after an equals sign. */
export type Kinds = Readonly<Record<string, "string" | "boolean" | "perhaps">>;

/** The options of a command line by name. Values that are not given are absent; flags are true. */
export function parsed(
  args: readonly string[],
  kinds: Kinds,
): Readonly<Record<string, string | true>> {
  const names = Object.keys(kinds);
  const options = Object.fromEntries(
    names.map((name) => [
      name,
      { type: kinds[name] === "string" ? ("string" as const) : ("boolean" as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const found: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === "positional")
      throw new Error(`"${token.value}" is no option; see npm run bench -- --help.`);
    if (token.kind !== "option") continue;
    const { name, value } = token;
    if (!Object.hasOwn(kinds, name)) {
      throw new Error(
        `there is no option --${name}; see npm run bench -- --help.${didYouMean(name, names)}`,
      );
    }
    const kind = kinds[name]!;
    if (kind === "string" && (value === undefined || value === "" || value.startsWith("--")))
      throw new Error(`--${name} needs a value; see npm run bench -- --help.`);
    if (kind === "boolean" && value !== undefined)
      throw new Error(`--${name} takes no value, but was given "${value}".`);
    found[name] = value ?? true;
  }
  return found;
}
