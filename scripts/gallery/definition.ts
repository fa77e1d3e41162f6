// The lines of the source that define a built-in objective, found by plain rules. The list of built-ins names the function
// that makes each; a definition ends with the brace at the start of a line, or before the next blank line; its comment is
// the block right above.

import { readdirSync, readFileSync } from "node:fs";

export interface Definition {
  /** From the root of the repository. */
  readonly file: string;
  readonly code: string;
  /** The formula: the first paragraph of the comment above, with the next one if it announces that; null if it has no symbols. */
  readonly formula: string | null;
}

interface Place {
  readonly file: string;
  readonly lines: readonly string[];
  readonly at: number;
}

/** Where each exported function or constant of src/objectives begins. */
function exported(root: string, files: readonly string[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const file of files) {
    const lines = readFileSync(root + file, "utf8").split("\n");
    lines.forEach((line, at) => {
      const name = /^export (?:function|const) (\w+)/.exec(line)?.[1];
      if (name !== undefined) places.set(name, { file, lines, at });
    });
  }
  return places;
}

/** What a formula has and a sentence has not. */
const symbols = /[α-ωΔΣℓ½·+]/;

/** The beginning of the comment that ends right above a line, if it is a formula. */
function formulaAbove({ lines, at }: Place): string | null {
  if (lines[at - 1]?.trimEnd().endsWith("*/") !== true) return null;
  let from = at - 1;
  while (!lines[from]!.startsWith("/**")) from--;
  const text = lines
    .slice(from, at)
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*)\s?/, "").replace(/\s*\*\/$/, ""))
    .join("\n");
  const [first, second] = text.trim().split(/\n\s*\n/);
  if (first === undefined || !symbols.test(first)) return null;
  return second !== undefined && /(?::| is)$/.test(first) ? `${first}\n\n${second}` : first;
}

function definitionAt(place: Place): Definition {
  const { file, lines, at } = place;
  const isFunction = lines[at]!.startsWith("export function");
  let end = at;
  while (isFunction ? lines[end] !== "}" : (lines[end + 1] ?? "") !== "") end++;
  return { file, code: lines.slice(at, end + 1).join("\n"), formula: formulaAbove(place) };
}

/** A reader of definitions by the name of the built-in. It throws an Error for one that its rules do not find. */
export function definitions(root: string): (name: string) => Definition {
  const files = readdirSync(`${root}src/objectives`)
    .toSorted()
    .map((file) => `src/objectives/${file}`);
  const places = exported(root, files);
  const text = files.map((file) => readFileSync(root + file, "utf8")).join("\n");
  return (name) => {
    const row = new RegExp(String.raw`\b(?:entry|found)\(\s*"${name}",([^]*?)\n  \S`).exec(text);
    const words = row?.[1]?.replaceAll(/"[^"]*"/g, "").match(/\w+/g) ?? [];
    const maker = words.find((word) => places.has(word) && !word.endsWith("Options"));
    if (maker === undefined) throw new Error(`no definition of the built-in "${name}" was found`);
    return definitionAt(places.get(maker)!);
  };
}
