// Options that several commands share: which objective, its options and parameters, the heights at which
// models enter, and the adapter.

import type { ArgsDef } from "citty";
import type { Params } from "../batch/batch.ts";
import { PrefcError } from "../core/error.ts";
import type { Height, ModelName } from "../core/inputs.ts";
import { builtIns, type Objective, type OptionKind, type Options } from "../index.ts";
import { isListKind, release } from "../objectives/options.ts";
import { finiteNumber, pairs, repeated } from "./arguments.ts";
import { loadObjective, objectiveHelp } from "./objective.ts";
import { cite, mention } from "../core/quote.ts";

interface ObjectiveArgs {
  readonly objective: {
    readonly type: "positional";
    readonly description: string;
    readonly required: true;
  };
  readonly option: StringOption;
  readonly heights: StringOption;
}
interface StringOption {
  readonly type: "string";
  readonly description: string;
  readonly valueHint: string;
}

export const objectiveArgs: ObjectiveArgs = {
  objective: { type: "positional", description: objectiveHelp, required: true },
  option: {
    type: "string",
    description: "an option of a built-in objective, such as alignment=greedy; may be repeated",
    valueHint: "name=value",
  },
  heights: {
    type: "string",
    description: "where a model enters, such as ref=logps (logits, logp or logps)",
    valueHint: "model=height",
  },
};

/** A value of an option: a number, true or false, a word, or several of a list with commas between them. */
function optionValue(text: string, kind: OptionKind | undefined): Options[string] {
  // 1.10 is another release than 1.1
  if (kind === release) return text;
  if (isListKind(kind) && text.includes(","))
    return text.split(",").map((part) => optionValue(part, undefined) as number | string);
  if (text === "true" || text === "false") return text === "true";
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : text;
}

/** Options of an objective that --option gives by name, read as that objective has them. */
export function givenOptions(
  objective: string,
  rawArgs: readonly string[],
  args: ArgsDef,
): Options {
  const given = pairs("option", repeated(rawArgs, args, "option"));
  const kinds = Object.hasOwn(builtIns, objective) ? builtIns[objective]!.options : {};
  return Object.fromEntries(given.map(([name, value]) => [name, optionValue(value, kinds[name])]));
}

/** The objective of a command line. */
export const givenObjective = async (
  text: string,
  rawArgs: readonly string[],
  args: ArgsDef,
): Promise<Objective> => await loadObjective(text, givenOptions(text, rawArgs, args));

/** Heights by model. @throws PrefcError option-value; the compiler checks the names */
export function givenHeights(
  rawArgs: readonly string[],
  args: ArgsDef,
): Readonly<Record<ModelName, Height>> {
  const given = pairs("heights", repeated(rawArgs, args, "heights"));
  // the compiler checks what they are
  return Object.fromEntries(given) as Record<ModelName, Height>;
}

/** Parameters by name. @throws PrefcError option-value */
export function givenParams(rawArgs: readonly string[], args: ArgsDef): Params {
  const given = pairs("param", repeated(rawArgs, args, "param"));
  return Object.fromEntries(
    given.map(([name, value]) => [name, finiteNumber(`param ${mention(name)}`, value)]),
  );
}

/** One of a few words. @throws PrefcError option-value */
export function oneOf<const T extends string>(
  option: string,
  text: string,
  words: readonly T[],
): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new PrefcError(
    "option-value",
    `--${option} is ${cite(text)}; choose ${words.join(" or ")}.`,
  );
}
