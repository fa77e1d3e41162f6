// What one response brings to a batch beside logits: its completion tokens, and numbers per token, per example or per response
// of a list.

import { fail } from "../core/error.ts";
import { eachInput, logpInput, logpsInput, rewardInput, tokenInput } from "../core/inputs.ts";
import { entryPath, memberPath } from "../core/json.ts";
import { cite } from "../core/quote.ts";
import { perExample, type Entry } from "./assemble.ts";
import type { Binding, ResponseTokens } from "./batch.ts";
import { byResponse, perResponse, type Labels, type ListData } from "./lists.ts";
import { ignoredLabel } from "./masks.ts";
import { fieldOf, modelsAt } from "./models.ts";
import { indices, isNested, reals, type Numbers } from "./numbers.ts";
import { partsOf } from "./record.ts";
import type { LogitsSource } from "./source.ts";

/** One response of every example, or a list of them. */
export interface ResponseData {
  /**
   * Completion tokens: one list per example, or all in one list with `lengths` or `offsets`. Of a list of responses, a list of
   * those per example, or all as before with `sizes`.
   */
  readonly labels: Labels;
  /** How many responses each example has, where it has a list of them and the labels do not say so. */
  readonly sizes?: Numbers;
  /** Completion length of each example, or of each response of a list. */
  readonly lengths?: Numbers;
  /** Cumulative lengths, from 0; instead of `lengths`. */
  readonly offsets?: Numbers;
  /** Logits [tokens, V]: row n predicts the n-th label. */
  readonly policy_logits?: LogitsSource;
  /** Those of the reference and of any other model, under its name. */
  readonly ref_logits?: LogitsSource;
  readonly [modelLogits: `${string}_logits`]: LogitsSource | undefined;
  /** Row of each token, if the logits have other rows too. Responses that are given the same array share one tensor. */
  readonly rows?: Numbers;
  /** log π(y_t | x, y<t), one per token. */
  readonly policy_logp?: Numbers;
  readonly ref_logp?: Numbers;
  readonly [modelLogp: `${string}_logp`]: Numbers | undefined;
  /** log π(y | x), one per example, or per response of a list. */
  readonly policy_logps?: Numbers | readonly Numbers[];
  readonly ref_logps?: Numbers | readonly Numbers[];
  readonly [modelLogps: `${string}_logps`]: Numbers | readonly Numbers[] | undefined;
  /** Score of a reward model, one per example, or per response of a list. */
  readonly reward?: Numbers | readonly Numbers[];
  /** Any other number per response of a list by name, such as an advantage. */
  readonly each?: Readonly<Record<string, Numbers | readonly Numbers[]>>;
  /** Any other number per token by name, such as a token weight. */
  readonly tokens?: Readonly<Record<string, Numbers>>;
}

/** What a response may bring. */
export const fields: readonly string[] = [
  "labels",
  "sizes",
  "lengths",
  "offsets",
  "rows",
  "reward",
  "each",
  "tokens",
];
export const partPath = (name: string, part: string): string =>
  memberPath(memberPath("", name), part);

/** Offsets and labels, from any of the three ways in which they may be given. */
export function tokensOf(name: string, data: ResponseData): ResponseTokens {
  const what = partPath(name, "labels");
  const given = byResponse(data.labels);
  const lists: readonly Numbers[] | undefined = isNested(given) ? given : undefined;
  const flat =
    lists?.flatMap((list, example) => Array.from(reals(list, entryPath(what, example)))) ??
    (given as Numbers);
  const ignored = Array.from(flat).findIndex((label) => Number(label) === ignoredLabel);
  if (ignored >= 0) {
    fail(
      "label-out-of-range",
      `${what} is ${ignoredLabel} at position ${ignored}, the mark of a token without loss; leave out such tokens with their rows of logits, or give whole sequences to fromTrl with a completion_mask.`,
    );
  }
  const labels = indices(flat, what, "label-out-of-range");
  if (data.offsets !== undefined) {
    return { labels, offsets: indices(data.offsets, partPath(name, "offsets")) };
  }
  const lengths = lists?.map((list) => list.length) ?? data.lengths;
  if (lengths === undefined) {
    return fail(
      "lengths-needed",
      `The labels of response ${cite(name)} are one flat list, so examples cannot be told apart; give lengths or offsets, or one list per example.`,
    );
  }
  const offsets = [0];
  for (const length of indices(lengths, partPath(name, "lengths")))
    offsets.push(offsets.at(-1)! + length);
  return { labels, offsets: Uint32Array.from(offsets) };
}

/** What a response brings besides logits. */
export function valuesOf(
  name: string,
  data: ResponseData,
  list: ListData | null,
): readonly Entry[] {
  const core = list?.core ?? name;
  /** A number per example, or per response of a list. */
  const each = (values: Numbers | readonly Numbers[], what: string): Binding =>
    list === null
      ? perExample(values as Numbers, what)
      : { height: "token", values: perResponse(values, what, list) };
  const perToken = (values: Numbers, what: string): Binding => ({
    height: "token",
    values: reals(values, partPath(name, what)),
  });
  const entries: Entry[] = [];
  for (const [model, logp] of modelsAt<Numbers>(data, "logp"))
    entries.push([logpInput(model, core), perToken(logp, fieldOf(model, "logp"))]);
  for (const [model, logps] of modelsAt<Numbers | readonly Numbers[]>(data, "logps")) {
    const what = partPath(name, fieldOf(model, "logps"));
    entries.push([logpsInput(model, core), each(logps, what)]);
  }
  if (data.reward !== undefined) {
    entries.push([rewardInput(core), each(data.reward, partPath(name, "reward"))]);
  }
  for (const [key, values] of partsOf(data.each, partPath(name, "each"))) {
    const what = memberPath(partPath(name, "each"), key);
    if (list === null) {
      fail(
        "response-not-a-list",
        `${what} is given, but an example has one response ${cite(name)}; give examples: { ${key}: […] }, or lists of responses.`,
      );
    }
    entries.push([eachInput(key, core), each(values, what)]);
  }
  for (const [key, values] of partsOf(data.tokens, partPath(name, "tokens"))) {
    const binding: Binding = {
      height: "token",
      values: reals(values, memberPath(partPath(name, "tokens"), key)),
    };
    entries.push([tokenInput(key, core), binding]);
  }
  return entries;
}
