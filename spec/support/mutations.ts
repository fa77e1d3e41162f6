// Mistakes in JSON files, as disks, editors, exporters and enemies make them: on the text, byte by byte and token by token,
// and on the document, place by place. Each is drawn from a source of random numbers, so that a case can be drawn again.
import type { Random } from "../../src/sample/random.ts";
import { hostileNames } from "./hostile.ts";

/** A text or raw bytes, and what was done to it. */
export interface Mutant {
  readonly bytes: Buffer;
  readonly what: string;
}

const pick = <T>(source: Random, of: readonly T[]): T => of[source.integer(0, of.length - 1)]!;

const spellings: readonly string[] = [
  "NaN",
  "nan",
  "Infinity",
  "-Infinity",
  "inf",
  "1e999",
  "-1e999",
  "1e308",
  "-1e308",
  "1e-400",
  "5e-324",
  "-0",
  "0",
  "-1",
  "1",
  "2",
  "0.5",
  "1.5",
  "3e9",
  "1e9",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "1e21",
  "1e300",
  "0x10",
  "01",
  "+1",
  ".5",
  "1.",
  "1_000",
  "1e",
  "--1",
  "１",
  "null",
  "true",
  "false",
  "undefined",
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  '"1"',
  '""',
  '"x"',
  "[]",
  "{}",
  "[[]]",
  "[null]",
  '{"a":1}',
  '{"length":3}',
  '{"size":1,"mapAsync":1}',
  '{"constructor":{"name":"a\\nb"}}',
  '{"constructor":null}',
  '{"toString":1}',
  '{"dtype":"bf16","data":[1,2]}',
  '{"dtype":"x"}',
  '{"__proto__":[1]}',
  '"\\ud800"',
  '"\\u0000"',
  "'a'",
  "// note",
  "/* note */",
];
const nestings = [10, 63, 64, 65, 1000, 100_000];
const nest = (depth: number, kind: boolean): string =>
  kind ? "[".repeat(depth) + "]".repeat(depth) : '{"a":'.repeat(depth) + "1" + "}".repeat(depth);

type TextMutation = (text: string, source: Random) => string | Buffer;

const tokens = /"(?:[^"\\]|\\.)*"\s*:?|-?\d[\d.eE+-]*|true|false|null|[[\]{},]/g;
/** Replaces one token that is of a kind. */
const replaced =
  (kind: RegExp, by: (token: string, source: Random) => string): TextMutation =>
  (text, source) => {
    const found = [...text.matchAll(tokens)].filter(([token]) => kind.test(token));
    if (found.length === 0) return text;
    const match = pick(source, found);
    return (
      text.slice(0, match.index) + by(match[0], source) + text.slice(match.index + match[0].length)
    );
  };
const isNumber = /^-?\d/;
const isKey = /:$/;
const isValue = /^(?:-?\d|true|false|null|"(?:[^"\\]|\\.)*"$)/;

export const textMutations: Readonly<Record<string, TextMutation>> = {
  truncated: (text, source) => text.slice(0, source.integer(0, text.length - 1)),
  "without a piece": (text, source) => {
    const from = source.integer(0, text.length - 1);
    return text.slice(0, from) + text.slice(from + source.integer(1, 200));
  },
  "with a piece twice": (text, source) => {
    const from = source.integer(0, text.length - 1);
    const to = Math.min(text.length, from + source.integer(1, 200));
    return text.slice(0, to) + text.slice(from);
  },
  "with another character": (text, source) => {
    const at = source.integer(0, text.length - 1);
    return text.slice(0, at) + String.fromCharCode(source.integer(0, 0xffff)) + text.slice(at + 1);
  },
  "with a byte flipped": (text, source) => {
    const bytes = Buffer.from(text);
    bytes[source.integer(0, bytes.length - 1)]! ^= 1 << source.integer(0, 7);
    return bytes;
  },
  "with a byte-order mark": (text) => `\ufeff${text}`,
  "in UTF-16": (text) => Buffer.from(text, "utf16le"),
  "in Latin-1": (text) => Buffer.from(text, "latin1"),
  empty: (_, source) => pick(source, ["", " ", "\n", "\ufeff", "\u0000"]),
  "binary garbage": (_, source) =>
    Buffer.from(Array.from({ length: source.integer(1, 2000) }, () => source.integer(0, 255))),
  "another document": (_, source) =>
    pick(source, [
      ...spellings,
      nest(pick(source, nestings), true),
      nest(pick(source, nestings), false),
    ]),
  "with another spelling of a number": replaced(isNumber, (_, source) => pick(source, spellings)),
  "with another value": replaced(isValue, (_, source) => pick(source, spellings)),
  "with deep nesting": replaced(isValue, (_, source) =>
    nest(pick(source, nestings), source.integer(0, 1) === 0),
  ),
  "with a very long string": replaced(
    isValue,
    (_, source) =>
      `"${pick(source, ["x", "\\u202e", "é", "\\\\"]).repeat(source.integer(1, 300_000))}"`,
  ),
  "with a very long number": replaced(
    isNumber,
    (_, source) => pick(source, ["", "-"]) + "9".repeat(source.integer(1, 100_000)),
  ),
  "with a key twice": replaced(
    isKey,
    (token, source) => `${token} ${pick(source, spellings)}, ${token}`,
  ),
  "with a key more": replaced(
    isKey,
    (token, source) =>
      `${JSON.stringify(pick(source, hostileNames))}: ${pick(source, spellings)}, ${token}`,
  ),
  "with another key": replaced(
    isKey,
    (_, source) => `${JSON.stringify(pick(source, hostileNames))}:`,
  ),
  "with a key of an escape": replaced(isKey, (token) =>
    token.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
  ),
  "with a comma too many": replaced(/^[\]}]$/, (token) => `,${token}`),
  "without a comma": replaced(/^,$/, () => " "),
  "with a bracket changed": replaced(/^[[\]{}]$/, (_, source) =>
    pick(source, ["[", "]", "{", "}", "("]),
  ),
  "with an odd space": replaced(
    /^[,:[]$/,
    (token, source) => token + pick(source, ["\u00a0", "\u2028", "\ufeff", "\v", "\f", "\u0000"]),
  ),
  "followed by more": (text, source) =>
    text + pick(source, ["x", "{}", ",", "]", "\u0000", text.slice(0, 10)]),
};

type Container = Record<string | number, unknown>;
type Place = readonly [container: Container, key: string];

/** Every place of a document; those near the root are drawn as often as the many numbers deep inside. */
function places(document: unknown, source: Random): readonly Place[] {
  const levels: Place[][] = [[], [], []];
  const stack: { value: unknown; depth: number }[] = [{ value: document, depth: 0 }];
  while (stack.length > 0) {
    const { value, depth } = stack.pop()!;
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      levels[Math.min(depth, 2)]!.push([value as Container, key]);
      stack.push({ value: inner, depth: depth + 1 });
    }
  }
  const filled = levels.filter((level) => level.length > 0);
  return filled.length === 0 ? [] : pick(source, filled);
}

const junk = (source: Random): unknown =>
  pick<unknown>(source, [
    null,
    true,
    false,
    "",
    "NaN",
    "Infinity",
    "-Infinity",
    "__proto__",
    "chosen",
    -1,
    0,
    0.5,
    1,
    2,
    3,
    1e9,
    2 ** 32,
    2 ** 53,
    1e308,
    -1e308,
    5e-324,
    [],
    [[]],
    {},
    [null],
    ["x"],
    [[1], [2, 3]],
    { length: 3 },
    { 0: 1, length: 1 },
    { constructor: { name: { toString: 1 } } },
    { data: [1], dtype: "f16" },
    { size: 8, mapAsync: 1 },
    pick(source, hostileNames),
    "x".repeat(10_000),
    Array.from({ length: 10_000 }, () => 0),
  ]);

type DocumentMutation = (at: Place, source: Random, others: readonly Place[]) => void;
const set = ([container, key]: Place, value: unknown): void => {
  if (Array.isArray(container) && !/^\d{1,6}$/.test(key)) return;
  Object.defineProperty(container, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
};
const valueAt = ([container, key]: Place): unknown => container[key];

export const documentMutations: Readonly<Record<string, DocumentMutation>> = {
  "another value": (at, source) => set(at, junk(source)),
  "nothing there": ([container, key]) => {
    if (Array.isArray(container)) container.splice(Number(key), 1);
    else delete container[key];
  },
  "two places exchanged": (at, source, others) => {
    const other = pick(source, others);
    const [own, its] = [valueAt(at), valueAt(other)];
    set(at, its);
    set(other, own);
  },
  "a copy from elsewhere": (at, source, others) =>
    set(at, structuredClone(valueAt(pick(source, others)))),
  "one entry more or fewer": (at, source) => {
    const value = valueAt(at);
    if (!Array.isArray(value)) return set(at, [value]);
    if (source.integer(0, 1) === 0) value.pop();
    else value.push(structuredClone(value[0] ?? junk(source)));
  },
  flattened: (at) => {
    const value = valueAt(at);
    if (Array.isArray(value)) set(at, value.flat(3));
  },
  reversed: (at) => {
    const value = valueAt(at);
    if (Array.isArray(value)) value.reverse();
  },
  scaled: (at, source) => {
    const value = valueAt(at);
    set(
      at,
      typeof value === "number"
        ? value * pick(source, [-1, 0, 0.5, 1e3, 1e9, 1e300, 2 ** 31])
        : typeof value,
    );
  },
  "another name": (at, source) => {
    const value = valueAt(at);
    delete at[0][at[1]];
    set([at[0], pick(source, hostileNames)], value);
  },
  "one name more": (at, source) =>
    set(
      [
        at[0],
        pick(source, [
          "__proto__",
          "constructor",
          "toString",
          "hasOwnProperty",
          "length",
          "then",
          ...hostileNames.slice(0, 50),
        ]),
      ],
      junk(source),
    ),
};

/** One to three mistakes in a file. */
export function mutant(original: string, source: Random): Mutant {
  if (source.integer(0, 1) === 0) {
    const what = pick(source, Object.keys(textMutations));
    const made = textMutations[what]!(original, source);
    return { bytes: typeof made === "string" ? Buffer.from(made) : made, what };
  }
  const document = JSON.parse(original) as unknown;
  const done: string[] = [];
  for (let count = source.integer(1, 3); count > 0; count--) {
    const all = places(document, source);
    if (all.length === 0) break;
    const what = pick(source, Object.keys(documentMutations));
    documentMutations[what]!(pick(source, all), source, all);
    done.push(what);
  }
  return { bytes: Buffer.from(serialised(document)), what: done.join(", ") };
}

/** A mutation may have put a part into itself, which JSON cannot hold. */
function serialised(document: unknown): string {
  try {
    return JSON.stringify(document) ?? "";
  } catch {
    return '{"inside": "itself"}';
  }
}
