// Which row of the logits is which token: completions of about sixteen tokens, one response after the other, with prompt
// and padding rows around each completion where they are asked for. Any number of rows and any responses are served.

import type { ResponseTokens } from "../index.ts";
import { PrefcError } from "../core/error.ts";
import type { Lengths } from "./lengths.ts";
import { labelOf } from "./values.ts";

export interface LayoutRequest {
  /** Rows of each logits tensor. */
  readonly rows: number;
  readonly vocab: number;
  /** Share of the rows that are prompt or padding. */
  readonly padding: number;
  readonly responses: readonly string[];
  /** Examples that the objective needs at least. */
  readonly fewestExamples: number;
  /** Tokens that completions have in turn, one response of an example after the other; null for about sixteen. */
  readonly lengths?: Lengths;
}
export interface Layout {
  readonly rows: number;
  readonly vocab: number;
  readonly padding: number;
  readonly examples: number;
  /** Rows that predict a completion token. */
  readonly completionRows: number;
  readonly responses: Readonly<Record<string, ResponseTokens>>;
  readonly rowIndex: Readonly<Record<string, Uint32Array>>;
}

const tokensWanted = 16;

/** How many examples share `tokens` tokens: about one for sixteen, preferably so that all have the same length. */
export function examplesFor(tokens: number, fewest: number): number {
  const wanted = Math.max(1, tokens / tokensWanted);
  const distance = (count: number): number => Math.abs(Math.log(count / wanted));
  const even = Array.from({ length: tokens }, (_, i) => i + 1)
    .filter((count) => tokens % count === 0 && count >= fewest && distance(count) <= Math.log(4))
    .toSorted((a, b) => distance(a) - distance(b));
  return even[0] ?? Math.max(fewest, Math.min(tokens, Math.round(wanted)));
}

/** Completions of given lengths, as many as the rows hold; the tokens of each response by example. */
function ofLengths(
  room: number,
  { responses, fewestExamples }: LayoutRequest,
  lengths: readonly number[],
): readonly (readonly number[])[] {
  const made: number[][] = responses.map(() => []);
  const count = Math.max(1, responses.length);
  for (let [example, used] = [0, 0]; ; example++) {
    const own = responses.map(
      (_, position) => lengths[(example * count + position) % lengths.length]!,
    );
    used += own.reduce((sum, length) => sum + length, 0);
    if (used > room || responses.length === 0) break;
    own.forEach((length, position) => made[position]!.push(length));
  }
  const examples = made[0]?.length ?? 0;
  if (responses.length > 0 && examples < fewestExamples) {
    throw new PrefcError(
      "option-value",
      `--lengths: ${room} completion rows hold ${examples} ${examples === 1 ? "example" : "examples"} of ${responses.length} ${responses.length === 1 ? "response" : "responses"}, but at least ${fewestExamples} ${fewestExamples === 1 ? "is" : "are"} needed; give more rows or shorter completions.`,
    );
  }
  return made;
}

const cumulative = (lengths: readonly number[]): readonly number[] => {
  let sum = 0;
  return lengths.map((length) => (sum += length));
};

/** @throws PrefcError option-value when there are fewer rows than responses need */
export function layOut(request: LayoutRequest): Layout {
  const { rows, vocab, padding, responses, fewestExamples, lengths = null } = request;
  const room = rows - Math.floor(padding * rows);
  const chosen = lengths === null ? null : ofLengths(room, request, lengths);
  const completionRows =
    chosen === null || responses.length === 0
      ? room
      : chosen.flat().reduce((sum, length) => sum + length, 0);
  const least = responses.length * fewestExamples;
  if (completionRows < least) {
    throw new PrefcError(
      "option-value",
      `--rows: ${completionRows} completion rows are too few for ${responses.length} ${responses.length === 1 ? "response" : "responses"} (${responses.join(", ")}) of ${fewestExamples} ${fewestExamples === 1 ? "example" : "examples"}; give at least ${Math.ceil(least / (1 - padding))} rows.`,
    );
  }
  const shorter = Math.floor(completionRows / Math.max(1, responses.length));
  const rest = completionRows - shorter * responses.length;
  const examples =
    responses.length === 0
      ? Math.max(fewestExamples, Math.round(rows / tokensWanted))
      : (chosen?.[0]?.length ?? examplesFor(shorter, fewestExamples));
  const sequences = responses.length * examples;
  const unused = rows - completionRows;
  const startOf = (part: number, parts: number, total: number): number =>
    Math.floor((part * total) / parts);
  const tokens: Record<string, ResponseTokens> = {};
  const rowIndex: Record<string, Uint32Array> = {};
  let row = 0;
  responses.forEach((response, position) => {
    const own = chosen?.[position];
    const count =
      own?.reduce((sum, length) => sum + length, 0) ?? shorter + (position < rest ? 1 : 0);
    const offsets =
      own === undefined
        ? Uint32Array.from({ length: examples + 1 }, (_, i) => startOf(i, examples, count))
        : Uint32Array.from([0, ...cumulative(own)]);
    const index = new Uint32Array(count);
    for (let example = 0; example < examples; example++) {
      const sequence = position * examples + example;
      const idle = startOf(sequence + 1, sequences, unused) - startOf(sequence, sequences, unused);
      const prompt = Math.floor(idle / 2);
      row += prompt;
      for (let token = offsets[example]!; token < offsets[example + 1]!; token++)
        index[token] = row++;
      row += idle - prompt;
    }
    rowIndex[response] = index;
    tokens[response] = { offsets, labels: index.map((at) => labelOf(at, vocab)) };
  });
  return { rows, vocab, padding, examples, completionRows, responses: tokens, rowIndex };
}

/** Tokens of every sequence when all have as many and every row is one of them, else null: what hand-written kernels take. */
export function evenLength({ responses, examples, rows, completionRows }: Layout): number | null {
  const lengths = Object.values(responses).flatMap(({ offsets }) =>
    Array.from({ length: examples }, (_, i) => offsets[i + 1]! - offsets[i]!),
  );
  const [first] = lengths;
  if (first === undefined || rows !== completionRows) return null;
  return lengths.every((length) => length === first) ? first : null;
}

/** What is said of rows that do not make pairs of responses of one length, which peers need. */
export const unevenRows = (rows: number): string =>
  `--peers: ${rows} rows are not pairs of responses of equal length; choose a multiple of 32.`;

/** Whether peers can be given that many rows. */
export function makesPairs(rows: number): boolean {
  const pair = { vocab: 1, padding: 0, responses: ["chosen", "rejected"], fewestExamples: 1 };
  return rows > 1 && evenLength(layOut({ rows, ...pair })) !== null;
}
