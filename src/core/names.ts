// Names in sentences: how a list of them is written, and which known name was probably meant by an unknown one.

import { cite } from "./quote.ts";

/** Longer names are compared by their beginning. */
const compared = 200;

/** Names in quotes, for a sentence: `"w", "l" and "kl"`. */
export function listNames(names: readonly string[]): string {
  const words = names.map((name) => cite(name));
  const last = words.pop();
  if (last === undefined) return "none";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}

/** Number of insertions, deletions, replacements and exchanges of neighbours between two words. */
function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? before[j - 2]! + 1
          : Infinity;
      next.push(Math.min(replaced, exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

/** ` Did you mean "beta"?` when one of the names is close, else the empty string. */
export function didYouMean(given: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({
      name,
      steps: distance(given.slice(0, compared).toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ name, steps }) => steps <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.steps - b.steps)[0];
  return near === undefined ? "" : ` Did you mean ${cite(near.name)}?`;
}
