// Reads JSON that nobody vouches for, more strictly than JSON.parse: a key that stands twice in an object is refused, where
// JSON.parse keeps the last one and says nothing; nesting has an end; and every mistake is told with the place where it is,
// as a path of keys and as line and column.

import { describe } from "./describe.ts";
import { fail } from "./error.ts";
import { cite } from "./quote.ts";

/** Deeper than any tensor or record that is written down. */
const deepest = 64;

/** A path with one more key: `inputs.policy_logits`, `params["a b"]`. */
export const memberPath = (path: string, key: string): string => {
  if (!/^[A-Za-z_]\w{0,99}$/.test(key)) return `${path}[${cite(key)}]`;
  return path === "" ? key : `${path}.${key}`;
};
/** A path with one more position: `inputs.policy_logits[0]`. */
export const entryPath = (path: string, index: number): string => `${path}[${index}]`;

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /[A-Za-z]+/y;
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Where in a text something stands, for a person. */
function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at);
  const start = before.lastIndexOf("\n") + 1;
  return `line ${before.split("\n").length}, column ${at - start + 1}`;
}

/**
 * The value of a JSON text, as JSON.parse gives it; a byte-order mark before it is skipped. `name` is the file's, and
 * begins the sentences.
 * @throws PrefcError "json-malformed", "json-key-twice" or "json-too-deep", naming the file, the line and the key
 */
export function parseJson(text: string, name: string): unknown {
  if (typeof text !== "string")
    fail("json-malformed", `parseJson: the text is ${describe(text)}; give a string.`);
  if (typeof name !== "string") {
    fail(
      "json-malformed",
      `parseJson: the name is ${describe(name)}; give what the text is called in sentences.`,
    );
  }
  let at = text.startsWith("\ufeff") ? 1 : 0;
  const path: (string | number)[] = [];
  const place = (keysToHere: readonly (string | number)[] = path): string => {
    const keys = keysToHere.reduce<string>(
      (before, key) => (typeof key === "number" ? entryPath(before, key) : memberPath(before, key)),
      "",
    );
    return `${lineAndColumn(text, at)}${keys === "" ? "" : `, at ${keys}`}`;
  };
  const expected = (what: string): never => {
    const found = at >= text.length ? "the text ends" : `there is ${cite(text.slice(at, at + 20))}`;
    return fail(
      "json-malformed",
      `${name}: this is not JSON (${place()}: ${what} is expected, but ${found}); correct it there or write the file again.`,
    );
  };
  const take = (shape: RegExp): string | undefined => {
    shape.lastIndex = at;
    const found = shape.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const accept = (symbol: string): boolean => {
    take(space);
    const here = text[at] === symbol;
    if (here) at++;
    return here;
  };

  const string = (what: string): string => {
    if (text[at] !== '"') return expected(what);
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    try {
      const value = JSON.parse(text.slice(at, end + 1)) as string;
      at = end + 1;
      return value;
    } catch {
      return expected("a string without line breaks or unknown escapes");
    }
  };
  const nested = <T>(read: () => T): T => {
    if (path.length >= deepest) {
      fail(
        "json-too-deep",
        `${name}: values are nested more than ${deepest} deep (${place(path.slice(0, 3))} and below); write the file again.`,
      );
    }
    return read();
  };
  const array = (): unknown[] => {
    const values: unknown[] = [];
    at++;
    if (accept("]")) return values;
    do {
      path.push(values.length);
      values.push(value());
      path.pop();
    } while (accept(","));
    if (!accept("]")) expected('"," or "]"');
    return values;
  };
  const object = (): unknown => {
    const members = new Map<string, unknown>();
    at++;
    if (accept("}")) return {};
    do {
      take(space);
      const start = at;
      const key = string("a key in quotation marks");
      path.push(key);
      if (members.has(key)) {
        at = start;
        fail(
          "json-key-twice",
          `${name}: the key ${cite(key)} stands twice in one object (${place()}); remove one of the two.`,
        );
      }
      if (!accept(":")) expected('":"');
      members.set(key, value());
      path.pop();
    } while (accept(","));
    if (!accept("}")) expected('"," or "}"');
    return Object.fromEntries(members);
  };
  const value = (): unknown => {
    take(space);
    const first = text[at];
    if (first === "[") return nested(array);
    if (first === "{") return nested(object);
    if (first === '"') return string("a string");
    const digits = take(number);
    if (digits !== undefined) return Number(digits);
    const start = at;
    const found = take(word) ?? "";
    if (words.has(found)) return words.get(found);
    at = start;
    return expected(
      /^(?:nan|inf|infinity)$/i.test(found)
        ? 'a value ("NaN" and "Infinity" are written as strings)'
        : "a value",
    );
  };

  const whole = value();
  take(space);
  return at === text.length ? whole : expected("the end of the text");
}
