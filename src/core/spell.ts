// How names, numbers and axes are spelt in printed terms: a user's string that is no plain word is quoted (quote.ts).

import { spellAxisWith, type Axis } from "./axis.ts";
import { quote } from "./quote.ts";

export { quote } from "./quote.ts";

const plainWord = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a name can be written without quotes. */
export function isPlainWord(name: string): boolean {
  return plainWord.test(name);
}

/** The word itself, or quoted where it is not one. */
export function word(name: string): string {
  return isPlainWord(name) ? name : quote(name);
}

/** `batch`, `vocab`, `token.w`, `token."any name"`. */
export function spellAxis(axis: Axis): string {
  return spellAxisWith(axis, word);
}

/** The shortest decimal that reads back as the same number, −0 included. */
export function spellNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
