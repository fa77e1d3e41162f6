// How a string that a user chose is written into text of ours. It may contain anything, so it is written as a JSON string
// in which nothing can end a line, a quotation or a comment, and in which nothing is invisible or moves the text around it.

/** Controls, directions, halves of pairs, what is drawn as nothing, spaces that are not a space, and a mark that would join the quotation mark. */
const unseen =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}|^\p{M}|(?<=")\p{M}/gu;

const escapeUnits = (text: string): string =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

/** The text with every character that is not seen as itself written as \uXXXX; line breaks too. */
export const visible = (text: string): string => text.replaceAll(unseen, escapeUnits);

/** A JSON string on one line, without control or invisible characters, or comment delimiters. Reads back exactly. */
export function quote(text: string): string {
  return visible(JSON.stringify(text)).replaceAll("*/", "*\\/").replaceAll("/*", "/\\u002a");
}

/** Characters of a string that a sentence repeats. */
const mostCited = 200;

/** A user's string, or another value where a string should be, inside a sentence: quoted, on one line, and cut where it is long. */
export function cite(value: unknown): string {
  if (typeof value === "string")
    return value.length <= mostCited ? quote(value) : `${quote(value.slice(0, mostCited))}…`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol"
    ? `a ${typeof value}`
    : String(value);
}

/** Paths are long, and their end says most. */
const mostMentioned = 1000;
const mentionable = /^[\p{L}\p{N}_./~][\p{L}\p{N}_./+@:#~\\-]*$/u;

/** A user's string without quotation marks where none are needed, as in the name of a file or in a list. */
export const mention = (text: string): string =>
  mentionable.test(text) && text.length <= mostMentioned ? text : cite(text);

/** A user's string as a title or in a table, where it needs no quotation marks. */
export const titled = (text: string): string =>
  text.length <= mostCited ? visible(text) : `${visible(text.slice(0, mostCited))}…`;

/** Characters of an error's sentence, which may list many names. */
const longestSentence = 8000;

/** A sentence, which may have lines below it: each of them visible, and cut where it goes on and on. */
export function sentenceOf(text: string): string {
  const whole = text.length <= longestSentence ? text : `${text.slice(0, longestSentence)}…`;
  return whole.split("\n").map(visible).join("\n");
}
