// What the hyper-parameters of a recorded file mean. Every source spells them in its own way, so each family lists the
// keys that its files may have and what each stands for. A key that is not listed fails the file: a hyper-parameter
// that is silently ignored would make a wrong loss look right.

import { fail } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import { isGiven } from "./golden.ts";
import { entries, finite, member, members, record, text, unexpected, type Place } from "./place.ts";

/** A value of an option of an objective. */
export type OptionValue = string | number | boolean | readonly string[];

/** What one key of `params` stands for. */
export type Key =
  /** A run-time parameter of the objective, with the value that the source uses when the key is absent. */
  | { readonly kind: "param"; readonly name: string; readonly otherwise: number | undefined }
  /** A list of run-time parameters. */
  | { readonly kind: "params"; readonly names: readonly string[] }
  /** A choice between objectives; `spelled` lists what a file may say and which value of the option it means. */
  | {
      readonly kind: "option";
      readonly name: string;
      readonly spelled: readonly (readonly [said: OptionValue, meant: OptionValue])[];
    }
  /** One or several words, as an option that is a list. */
  | { readonly kind: "words"; readonly name: string; readonly only: string | undefined }
  /** A value that the table's row takes for granted. */
  | { readonly kind: "fixed"; readonly value: unknown }
  /** Recorded, and without influence on the loss. */
  | { readonly kind: "unused"; readonly why: string }
  /** An object of keys. */
  | { readonly kind: "nested"; readonly keys: Keys };
export type Keys = Readonly<Record<string, Key>>;

/** A run-time parameter; without `otherwise` it keeps the objective's default when the key is absent. */
export const param = (name: string, otherwise?: number): Key => ({
  kind: "param",
  name,
  otherwise,
});
export const params = (...names: readonly string[]): Key => ({ kind: "params", names });
export const option = (
  name: string,
  spelled: readonly (readonly [OptionValue, OptionValue])[],
): Key => ({
  kind: "option",
  name,
  spelled,
});
export const words = (name: string, only?: string): Key => ({ kind: "words", name, only });
/** An option that a file says as the objective does. */
export const choice = (name: string, ...values: readonly OptionValue[]): Key =>
  option(
    name,
    values.map((value) => [value, value]),
  );
export const flag = (name: string): Key => choice(name, true, false);
export const fixed = (value: unknown): Key => ({ kind: "fixed", value });
export const unused = (why: string): Key => ({ kind: "unused", why });
export const nested = (keys: Keys): Key => ({ kind: "nested", keys });

/** The hyper-parameters of a file, as an objective takes them. */
export interface Settings {
  /** Run-time parameters by name. */
  readonly params: Readonly<Record<string, number>>;
  /** Options by name, only those that the file gives. */
  readonly options: Readonly<Record<string, OptionValue>>;
}

type Found = { readonly params: Map<string, number>; readonly options: Map<string, OptionValue> };

/** One word, or several. */
export const wordsAt = (place: Place): readonly string[] =>
  Array.isArray(place.value) ? entries(place).map(text) : [text(place)];

function readKey(key: Key, place: Place, found: Found): void {
  switch (key.kind) {
    case "param":
      found.params.set(key.name, finite(place));
      return;
    case "params": {
      const values = entries(place);
      if (values.length !== key.names.length) unexpected(place, `an array of ${key.names.length}`);
      key.names.forEach((name, position) => found.params.set(name, finite(values[position]!)));
      return;
    }
    case "option": {
      const match = key.spelled.find(([said]) => said === place.value);
      if (match === undefined) {
        return unexpected(
          place,
          `one of ${key.spelled.map(([said]) => JSON.stringify(said)).join(", ")}`,
        );
      }
      found.options.set(key.name, match[1]);
      return;
    }
    case "words":
      if (key.only !== undefined && !wordsAt(place).every((word) => word === key.only))
        unexpected(place, `${JSON.stringify(key.only)} for this objective`);
      found.options.set(key.name, wordsAt(place));
      return;
    case "fixed":
      if (JSON.stringify(place.value) !== JSON.stringify(key.value)) {
        unexpected(place, `${JSON.stringify(key.value)} for this objective`);
      }
      return;
    case "unused":
      return;
    case "nested":
      readKeys(key.keys, place, found);
  }
}

/** Run-time parameters that keep their source's default, because the file does not give them. */
function applyDefaults(keys: Keys, place: Place, found: Found): void {
  for (const [name, key] of Object.entries(keys)) {
    const given = isGiven(place) ? member(place, name) : place;
    if (isGiven(place) && isGiven(given) && key.kind !== "nested") continue;
    if (key.kind === "param" && key.otherwise !== undefined)
      found.params.set(key.name, key.otherwise);
    if (key.kind === "nested") applyDefaults(key.keys, given, found);
  }
}

function readKeys(keys: Keys, place: Place, found: Found): void {
  record(place);
  for (const [name, given] of members(place)) {
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key === undefined) {
      const known = Object.keys(keys);
      fail(
        "golden-unknown-parameter",
        `${given.file}: ${given.path} is not a hyper-parameter that this objective is known to have (${known.join(", ")}); say what it means in src/conform/families.${didYouMean(name, known)}`,
      );
    }
    if (isGiven(given)) readKey(key, given, found);
  }
}

/**
 * Reads every key of `params`; null is taken as absent.
 * @throws PrefcError "golden-unknown-parameter" for a key that is not listed, "golden-malformed" for a wrong value.
 */
export function readSettings(keys: Keys, place: Place): Settings {
  const found: Found = { params: new Map(), options: new Map() };
  readKeys(keys, place, found);
  applyDefaults(keys, place, found);
  return { params: Object.fromEntries(found.params), options: Object.fromEntries(found.options) };
}
