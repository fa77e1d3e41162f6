// How names, numbers and axes are spelt in printed terms. A user's string may contain anything, so it is written as a JSON
// string in which nothing can end a line, a quotation or a comment, and nothing is invisible.

import { isTokenAxis, responseOf, type Axis } from "./axis.ts";

const plainWord = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a name can be written without quotes. */
export function isPlainWord(name: string): boolean {
  return plainWord.test(name);
}

const escapeUnits = (text: string): string =>
  [...Array(text.length).keys()]
    .map((position) => `\\u${text.charCodeAt(position).toString(16).padStart(4, "0")}`)
    .join("");

/** A JSON string on one line, without control or invisible characters, or comment delimiters. */
export function quote(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeUnits)
    .replaceAll("*/", "*\\/")
    .replaceAll("/*", "/\\u002a");
}

/** The word itself, or quoted where it is not one. */
export function word(name: string): string {
  return isPlainWord(name) ? name : quote(name);
}

/** `batch`, `vocab`, `token.w`, `token."any name"`. */
export function spellAxis(axis: Axis): string {
  return isTokenAxis(axis) ? `token.${word(responseOf(axis))}` : axis;
}

/** The shortest decimal that reads back as the same number, −0 included. */
export function spellNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
