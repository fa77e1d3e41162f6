// What an input stands for, as a record. Inputs are interned by these fields and printed under a name that is made of
// them. This is the only file that makes names of inputs and takes them apart: whoever asks what an input is reads fields.

import { isList, isTokenAxis, responseAmong, type Axis } from "./axis.ts";

/** "policy" is differentiated; any other name ("ref", "old", "teacher") is data. */
export type ModelName = string;
/** The heights at which a model's log-probabilities may enter. */
export type Height = "logits" | "logp" | "logps";

/** Data that a batch brings, or a value that one stage of the compiler hands to the next. */
export type Datum =
  /** What a model says of a response: z, log π(y_t) or log π(y). */
  | { readonly kind: Height; readonly model: ModelName; readonly response: string }
  /** The completion tokens of a response. */
  | { readonly kind: "ids"; readonly response: string }
  /** A reward model's score of a response. */
  | { readonly kind: "reward"; readonly response: string }
  /** A number of the user's own for each example. */
  | { readonly kind: "example"; readonly name: string }
  /** A number of the user's own for each response of a list. */
  | { readonly kind: "each"; readonly name: string; readonly response: string }
  /** A number of the user's own for each completion token. */
  | { readonly kind: "tokens"; readonly name: string; readonly response: string }
  /** One number of each row of logits, by name (src/seam): of one model, or of both. */
  | {
      readonly kind: "statistic";
      readonly name: string;
      readonly models: readonly ModelName[];
      readonly response: string;
    }
  /** |y|, for functions that are handed no tokens. */
  | { readonly kind: "lengths"; readonly response: string }
  /** What a pass over the vocabulary leaves for each completion token; `key` spells which. */
  | { readonly kind: "field"; readonly key: string; readonly response: string }
  /** A model's logit at the entry that a pass has reached, in an expression that names no response. */
  | { readonly kind: "entry"; readonly model: ModelName }
  /** A value of the row in such an expression. */
  | { readonly kind: "slot"; readonly position: number }
  /** The label of the row in such an expression. */
  | { readonly kind: "label" }
  /** Anything else, known by its name only. */
  | { readonly kind: "named"; readonly name: string };

/** The name under which an input is printed, and under which a batch brings it. */
export function nameOfDatum(datum: Datum): string {
  switch (datum.kind) {
    case "logits":
    case "logp":
    case "logps":
      return `${datum.model}.${datum.kind}.${datum.response}`;
    case "ids":
    case "reward":
    case "lengths":
      return `${datum.kind}.${datum.response}`;
    case "statistic":
      return `${datum.models.join("+")}.${datum.name}.${datum.response}`;
    case "example":
      return `example.${datum.name}`;
    case "each":
    case "tokens":
      return `${datum.kind}.${datum.name}.${datum.response}`;
    case "field":
      return `field.${datum.key}.${datum.response}`;
    case "entry":
      return `z.${datum.model}`;
    case "slot":
      return `slot.${datum.position}`;
    case "label":
      return "label";
    case "named":
      return datum.name;
  }
}

/** First words of names that stand for something else than a model. */
const taken = ["ids", "reward", "example", "each", "tokens", "field", "z", "slot", "label"];
/** Words of letters and digits, so that a name may become part of the names of fields, tensors and variables. */
const modelShape = /^[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z][A-Za-z0-9]*)*$/;

/** Whether a model can have this name. */
export const isModel = (name: string): boolean => modelShape.test(name) && !taken.includes(name);
const isHeight = (name: string): name is Height =>
  name === "logits" || name === "logp" || name === "logps";

/** The text between a beginning and an end, or null where it has not both. */
function between(text: string, before: string, after = ""): string | null {
  const isInside = text.length >= before.length + after.length;
  return isInside && text.startsWith(before) && text.endsWith(after)
    ? text.slice(before.length, text.length - after.length)
    : null;
}

/** The name without the response, for tokens of all responses in one numbering. */
export function stackedName(datum: Datum): string {
  switch (datum.kind) {
    case "logits":
    case "logp":
    case "logps":
      return `${datum.model}.${datum.kind}`;
    case "ids":
    case "reward":
    case "lengths":
      return datum.kind;
    case "statistic":
      return `${datum.models.join("+")}.${datum.name}`;
    case "each":
    case "tokens":
      return `${datum.kind}.${datum.name}`;
    case "field":
      return datum.key;
    case "example":
    case "entry":
    case "slot":
    case "label":
    case "named":
      return nameOfDatum(datum);
  }
}

/** What a name stands for, for data that comes by name: the inverse of `nameOfDatum`, given what the input ranges over. */
export function datumNamed(name: string, axes: readonly Axis[]): Datum {
  const named = { kind: "named", name } as const;
  const response = responseAmong(axes);
  const space = axes.filter((axis) => axis === "batch" || axis === "vocab").join();
  const [first = "", second = ""] = name.split(".", 2);
  if (response !== null) {
    const stem = between(name, "", `.${response}`);
    if (isList(response) && !axes.some(isTokenAxis)) {
      const each = stem === null ? null : between(stem, "each.");
      if (each !== null) return { kind: "each", name: each, response };
      if (stem === "reward") return { kind: "reward", response };
      return isModel(first) && stem === `${first}.logps`
        ? { kind: "logps", model: first, response }
        : named;
    }
    if (space === "batch,vocab" && isModel(first) && stem === `${first}.logits`)
      return { kind: "logits", model: first, response };
    if (stem === null || space !== "batch") return named;
    if (isModel(first) && stem === `${first}.logp`) return { kind: "logp", model: first, response };
    if (stem === "ids") return { kind: "ids", response };
    const models = first.split("+");
    if (models.every(isModel) && stem.startsWith(`${first}.`))
      return { kind: "statistic", name: stem.slice(first.length + 1), models, response };
    const own = between(stem, "tokens.");
    if (own !== null) return { kind: "tokens", name: own, response };
    const key = between(stem, "field.");
    return key === null ? named : { kind: "field", key, response };
  }
  if (space === "batch") {
    if (isModel(first) && second === "logps") {
      const response = between(name, `${first}.logps.`);
      return response === null ? named : { kind: "logps", model: first, response };
    }
    const own = between(name, "example.");
    if (own !== null) return { kind: "example", name: own };
    const counted = between(name, "lengths.");
    if (counted !== null) return { kind: "lengths", response: counted };
    const response = between(name, "reward.");
    return response === null ? named : { kind: "reward", response };
  }
  if (space === "vocab" && first === "z" && isModel(second) && name === `z.${second}`)
    return { kind: "entry", model: second };
  if (space !== "") return named;
  const position = /^slot\.(\d+)$/.exec(name)?.[1];
  if (position !== undefined) return { kind: "slot", position: Number(position) };
  return name === "label" ? { kind: "label" } : named;
}

/** What a name of a batch says of a model, where no expression tells what the input ranges over. */
export function ofModel(name: string): Extract<Datum, { kind: Height }> | null {
  const [first = "", second = "", ...others] = name.split(".");
  if (isModel(first) && isHeight(second) && others.length > 0)
    return { kind: second, model: first, response: others.join(".") };
  return null;
}

const promptSuffix = ".prompt";

/**
 * The prompt before a response is a response of its own: its tokens are another ragged axis of the same examples,
 * and whatever a model says of a response, it says of a prompt. A prompt of one token has nothing to predict, so
 * its axis may be empty.
 */
export function promptOf(response: string): string {
  return response + promptSuffix;
}

/** Whether a response is the prompt of another one. */
export function isPrompt(response: string): boolean {
  return response.endsWith(promptSuffix) && response !== promptSuffix;
}
