// What the argument parser lets pass and a user should hear about: options that do not exist, options without
// their value, and too many or too few arguments. Also options that may be given several times.

import type { ArgsDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import { cite, mention } from "../core/quote.ts";

const isOption = (text: string): boolean => /^--?[a-zA-Z]/.test(text);
const takesValue = (args: ArgsDef, name: string): boolean =>
  args[name]?.type === "string" || args[name]?.type === "enum";

/** An option as it stands on the command line. */
interface Given {
  readonly name: string;
  /** undefined when the next argument was to be its value, and there is none. */
  readonly value: string | undefined;
}
interface Read {
  readonly options: readonly Given[];
  readonly positionals: readonly string[];
}

function read(rawArgs: readonly string[], args: ArgsDef): Read {
  const options: Given[] = [];
  const positionals: string[] = [];
  const end = rawArgs.includes("--") ? rawArgs.indexOf("--") : rawArgs.length;
  for (let position = 0; position < end; position++) {
    const text = rawArgs[position]!;
    const match = /^--?([a-zA-Z][^=]*)(?:=([^]*))?$/.exec(text);
    if (match === null) {
      positionals.push(text);
      continue;
    }
    const name = match[1]!;
    if (match[2] !== undefined || !takesValue(args, name)) {
      options.push({ name, value: match[2] });
      continue;
    }
    const next = position + 1 < end ? rawArgs[position + 1]! : undefined;
    const value = next === undefined || isOption(next) ? undefined : next;
    options.push({ name, value });
    if (value !== undefined) position++;
  }
  return { options, positionals: [...positionals, ...rawArgs.slice(end + 1)] };
}

/**
 * Checks the arguments of a command against its declaration.
 * @throws PrefcError unknown-option, option-without-value, option-value, missing-argument, too-many-arguments
 */
export function checkArguments(
  command: string,
  rawArgs: readonly string[],
  args: ArgsDef,
  takesSeveral: boolean = false,
): void {
  const { options, positionals } = read(rawArgs, args);
  const names = Object.keys(args).filter((name) => args[name]!.type !== "positional");
  for (const { name, value } of options) {
    if (!names.includes(name)) {
      throw new PrefcError(
        "unknown-option",
        `${command}: there is no option --${mention(name)}; see prefc ${command} --help.${didYouMean(name, names)}`,
      );
    }
    if (takesValue(args, name) && (value === undefined || value === "")) {
      throw new PrefcError(
        "option-without-value",
        `${command}: --${name} needs a value (${args[name]!.description ?? name}).`,
      );
    }
    if (!takesValue(args, name) && value !== undefined && value !== "true" && value !== "false") {
      throw new PrefcError(
        "option-value",
        `${command}: --${mention(name)} takes no value, but was given ${cite(value)}.`,
      );
    }
  }
  const expected = Object.entries(args).filter(([, { type }]) => type === "positional");
  const missing = expected[positionals.length];
  if (missing !== undefined && missing[1].required !== false) {
    throw new PrefcError(
      "missing-argument",
      `${command}: ${missing[0].toUpperCase()} is missing; give ${missing[1].description ?? "it"}.`,
    );
  }
  if (positionals.length > expected.length && !takesSeveral) {
    throw new PrefcError(
      "too-many-arguments",
      `${command}: ${cite(positionals[expected.length])} is one argument too many; see prefc ${command} --help.`,
    );
  }
}

/** The arguments that are no options, each once, in order. */
export const positionalsOf = (rawArgs: readonly string[], args: ArgsDef): readonly string[] => [
  ...new Set(read(rawArgs, args).positionals),
];

/** Every value of an option that may be given several times, in order. */
export function repeated(
  rawArgs: readonly string[],
  args: ArgsDef,
  name: string,
): readonly string[] {
  return read(rawArgs, args).options.flatMap((option) =>
    option.name === name && option.value !== undefined ? [option.value] : [],
  );
}

/** `name=value` pairs, given once or several times, with commas or without. @throws PrefcError option-value */
export function pairs(
  option: string,
  values: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  return values.flatMap((text) =>
    text.split(",").map((pair) => {
      const [name = "", ...value] = pair.split("=");
      if (name === "" || value.length === 0) {
        throw new PrefcError(
          "option-value",
          `--${option} is ${cite(text)}; write it as --${option} name=value.`,
        );
      }
      return [name.trim(), value.join("=").trim()] as const;
    }),
  );
}

/** A whole number of at least `least`. @throws PrefcError option-value */
export function wholeNumber(option: string, text: string, least: number): number {
  const value = /^\d[\d_,]*$/.test(text) ? Number(text.replaceAll(/[_,]/g, "")) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new PrefcError(
    "option-value",
    `--${option} is ${cite(text)}; give a whole number of at least ${least}.`,
  );
}

/** A finite number. @throws PrefcError option-value */
export function finiteNumber(option: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new PrefcError("option-value", `--${option} is ${cite(text)}; give a finite number.`);
}
