// Reads the small parts of printed terms: words, quoted strings, numbers and axes, one line at a time. Whatever is not
// there is reported by line and column, with what was expected.

import { axisKinds, axisOf, isOfResponse, type Axis } from "./axis.ts";
import { fail } from "./error.ts";
import { cite } from "./quote.ts";

/** One line, and how far it has been read. */
export interface Cursor {
  readonly text: string;
  readonly line: number;
  column: number;
}

export function expected(cursor: Cursor, what: string, column: number = cursor.column): never {
  const found = cursor.text.slice(column, column + 20);
  const shown = found === "" ? "the end of the line" : JSON.stringify(found);
  fail(
    "parse-error",
    `line ${cursor.line}, column ${column + 1}: expected ${what}, found ${shown}.`,
  );
}

export const skipSpace = (cursor: Cursor): void => {
  while (cursor.text[cursor.column] === " ") cursor.column++;
};

/** Reads what the (sticky) expression matches, after spaces; undefined when it does not. */
export function take(cursor: Cursor, shape: RegExp): string | undefined {
  skipSpace(cursor);
  shape.lastIndex = cursor.column;
  const found = shape.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.column += found.length;
  return found;
}

export function accept(cursor: Cursor, symbol: string): boolean {
  skipSpace(cursor);
  const here = cursor.text.startsWith(symbol, cursor.column);
  if (here) cursor.column += symbol.length;
  return here;
}

export function demand(cursor: Cursor, symbol: string): void {
  if (!accept(cursor, symbol)) expected(cursor, `"${symbol}"`);
}

export const wordShape: RegExp = /[A-Za-z_][A-Za-z0-9_]*/y;
const stringShape = /"(?:[^"\\]|\\.)*"/y;
const numberShape = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/y;

export function string(cursor: Cursor, what: string): string {
  skipSpace(cursor);
  const start = cursor.column;
  const text = take(cursor, stringShape);
  if (text === undefined) return expected(cursor, what);
  try {
    return JSON.parse(text) as string;
  } catch {
    return expected(cursor, "a JSON string", start);
  }
}

export const name = (cursor: Cursor, what: string): string =>
  take(cursor, wordShape) ?? string(cursor, what);

export function number(cursor: Cursor): number {
  return Number(take(cursor, numberShape) ?? expected(cursor, "a number"));
}

const spellings = axisKinds.map((kind) => cite(axisOf(kind, "NAME")));
const alternatives = `${spellings.slice(0, -1).join(", ")} or ${spellings.at(-1)!}`;

export function axis(cursor: Cursor): Axis {
  skipSpace(cursor);
  const start = cursor.column;
  const text = take(cursor, wordShape);
  const kind = axisKinds.find((one) => one === text);
  if (kind === undefined || (isOfResponse(kind) && !accept(cursor, ".")))
    return expected(cursor, `an axis (${alternatives})`, start);
  const response = isOfResponse(kind)
    ? name(cursor, "the name of a response, a word or a quoted string")
    : "";
  return axisOf(kind, response);
}

export function bracketed(cursor: Cursor): Axis {
  demand(cursor, "[");
  const found = axis(cursor);
  demand(cursor, "]");
  return found;
}
