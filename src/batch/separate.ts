// Responses that come apart: each with its own completion tokens and its own logits, prompt rows already left out or
// skipped by an index. This is the layout of the core itself, so any other can be brought into it.

import { fail } from "../core/error.ts";
import {
  logitsOf,
  logpInput,
  logpsInput,
  rewardInput,
  tokenInput,
  type ModelName,
} from "../core/inputs.ts";
import { assemble, examplesOf, perExample, type Entry, type Extras } from "./assemble.ts";
import type { Batch, Binding, LogitsTensor, ResponseTokens } from "./batch.ts";
import { entryPath, memberPath } from "../core/json.ts";
import { checkedElsewhere, checkOptions, type KindsOf } from "../core/options.ts";
import { capacityOf, checkLogitsData, dtypeOf, isGpuBuffer } from "./logits.ts";
import { indices, isNested, reals, type Numbers } from "./numbers.ts";
import { fieldOf, modelsAt } from "./models.ts";
import { ignoredLabel } from "./masks.ts";
import { partsOf, requireFields, requireRecord } from "./record.ts";
import { readLogits, readOther, storedIn, type LogitsSource, type StoredLogits } from "./source.ts";
import { cite } from "../core/quote.ts";

/** One response of every example. */
export interface ResponseData {
  /** Completion tokens: one list per example, or all in one list with `lengths` or `offsets`. */
  readonly labels: Numbers | readonly Numbers[];
  /** Completion length of each example. */
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
  /** log π(y | x), one per example. */
  readonly policy_logps?: Numbers;
  readonly ref_logps?: Numbers;
  readonly [modelLogps: `${string}_logps`]: Numbers | undefined;
  /** Score of a reward model, one per example. */
  readonly reward?: Numbers;
  /** Any other number per token by name, such as a token weight. */
  readonly tokens?: Readonly<Record<string, Numbers>>;
}

export interface ResponsesOptions {
  /** Width of a logits row. Needed if logits are in GPU buffers, if `rows` is given, or if there are no logits. */
  readonly vocab_size?: number;
  /** Any number per example by name, such as a margin. */
  readonly examples?: NonNullable<Extras["examples"]>;
}

const fields = ["labels", "lengths", "offsets", "rows", "reward", "tokens"];
const optionKinds: KindsOf<ResponsesOptions> = {
  vocab_size: {
    expected: "a whole number of at least 1",
    fits: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  },
  examples: checkedElsewhere,
};

const partPath = (name: string, part: string): string => memberPath(memberPath("", name), part);

/** Offsets and labels, from any of the three ways in which they may be given. */
function tokensOf(name: string, data: ResponseData): ResponseTokens {
  const what = partPath(name, "labels");
  const lists: readonly Numbers[] | undefined = isNested(data.labels) ? data.labels : undefined;
  const flat =
    lists?.flatMap((list, example) => Array.from(reals(list, entryPath(what, example)))) ??
    (data.labels as Numbers);
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
function valuesOf(name: string, data: ResponseData): readonly Entry[] {
  const perToken = (values: Numbers, what: string): Binding => ({
    height: "token",
    values: reals(values, partPath(name, what)),
  });
  const entries: Entry[] = [];
  for (const [model, logp] of modelsAt<Numbers>(data, "logp"))
    entries.push([logpInput(model, name), perToken(logp, fieldOf(model, "logp"))]);
  for (const [model, logps] of modelsAt<Numbers>(data, "logps")) {
    const what = partPath(name, fieldOf(model, "logps"));
    entries.push([logpsInput(model, name), perExample(logps, what)]);
  }
  if (data.reward !== undefined) {
    entries.push([rewardInput(name), perExample(data.reward, partPath(name, "reward"))]);
  }
  for (const [key, values] of partsOf(data.tokens, partPath(name, "tokens"))) {
    const binding: Binding = {
      height: "token",
      values: reals(values, memberPath(partPath(name, "tokens"), key)),
    };
    entries.push([tokenInput(key, name), binding]);
  }
  return entries;
}

/** How many rows a logits source has: one per token, unless an index picks among more. */
function rowsIn(source: LogitsSource, what: string, vocab: number | undefined): number {
  const { data, dtype } = storedIn(source);
  if (isNested(data)) return data.length;
  checkLogitsData(data, dtype, what);
  if (vocab === undefined) {
    return fail(
      "vocabulary-needed",
      `${what} is flat and its rows are picked by an index, so the length of a row is unknown; give vocab_size.`,
    );
  }
  return Math.floor((isGpuBuffer(data) ? capacityOf(data, dtype) : data.length) / vocab);
}

/** The same logits under an identity of their own; numbers are not copied. */
function withOwnData(source: LogitsSource): LogitsSource {
  const { data } = storedIn(source);
  if (Array.isArray(data)) return [...data] as LogitsSource;
  const view = (data as Float32Array).subarray(0);
  return source === data ? view : { ...(source as StoredLogits), data: view };
}

/**
 * A batch from responses that come apart, by name.
 *
 *     fromResponses({
 *       w: { labels: [[5, 2], [7]], policy_logits: chosen, ref_logits: refChosen },
 *       l: { labels: [[1], [3, 3]], policy_logits: rejected, ref_logits: refRejected },
 *     })
 *
 * @throws PrefcError "lengths-needed", "rows-needed", "vocabulary-needed", "vocabulary-differs", and what `checkBatch`
 * throws.
 */
export function fromResponses(
  responses: Readonly<Record<string, ResponseData>>,
  options: ResponsesOptions = {},
): Batch {
  requireRecord(responses, "The batch");
  const names = Object.keys(responses);
  for (const name of names) {
    requireRecord(responses[name], memberPath("", name));
    requireFields(responses[name]!, `${memberPath("", name)}.`, fields, [
      "logits",
      "logp",
      "logps",
    ]);
  }
  checkOptions("fromResponses", optionKinds, options, { example: "{ vocab_size: 32000 }" });
  const tokens = Object.fromEntries(names.map((name) => [name, tokensOf(name, responses[name]!)]));
  const examples = names.length === 0 ? 0 : tokens[names[0]!]!.offsets.length - 1;
  const entries: Entry[] = [...examplesOf(options.examples)];
  const tensors = new Map<unknown, LogitsTensor>();
  let vocab = options.vocab_size;

  const bindLogits = (name: string, model: ModelName, source: LogitsSource): void => {
    const { rows: picked } = responses[name]!;
    const field = fieldOf(model, "logits");
    const what = partPath(name, field);
    const stored = storedIn(source).data;
    const holds = (other: LogitsSource | undefined): boolean =>
      other !== undefined && storedIn(other).data === stored;
    const holders = names.filter((other) => holds(responses[other]![field]));
    // an array that is given twice without rows is two tensors that happen to be equal
    const isTwice =
      holders.length > 1 &&
      !isGpuBuffer(stored) &&
      holders.every((other) => responses[other]!.rows === undefined);
    const sharers = isTwice ? [name] : holders;
    const own = isTwice ? withOwnData(source) : source;
    const { data } = storedIn(own);
    if (sharers.length > 1 && picked === undefined) {
      fail(
        "rows-needed",
        `Responses ${sharers.map((other) => cite(other)).join(" and ")} share one ${field}; say in rows which row predicts each token of ${cite(name)}.`,
      );
    }
    const count = tokens[name]!.labels.length;
    const rows =
      picked === undefined ? count : rowsIn(source, what, storedIn(source).vocab_size ?? vocab);
    const all = names.length > 1 && sharers.length === names.length;
    const label = all ? model : `${model}.${sharers.join(".")}`;
    const isFirst = model === "policy" || vocab === undefined;
    const read = isFirst
      ? readLogits(own, label, what, rows, storedIn(source).vocab_size ?? vocab)
      : { tensor: readOther(own, label, what, rows, vocab!), vocab };
    vocab = read.vocab;
    const tensor = tensors.get(data) ?? read.tensor;
    if (dtypeOf(tensor) !== dtypeOf(read.tensor)) {
      fail(
        "dtype-differs",
        `${what} is given as ${dtypeOf(read.tensor)}, but the same data is given as ${dtypeOf(tensor)} for ${cite(tensor.name)}; give one dtype.`,
      );
    }
    tensors.set(data, tensor);
    const rowIndex =
      picked === undefined
        ? Uint32Array.from({ length: count }, (_, row) => row)
        : indices(picked, partPath(name, "rows"), "row-out-of-range");
    entries.push([logitsOf(model, name), { height: "logits", tensor, rowIndex }]);
  };

  const logits = names.flatMap((name) =>
    modelsAt<LogitsSource>(responses[name]!, "logits").map(
      ([model, source]) => [name, model, source] as const,
    ),
  );
  // the policy's first: its vocabulary is the batch's
  const isPolicy = (model: ModelName): number => Number(model === "policy");
  for (const [name, model, source] of logits.toSorted(([, a], [, b]) => isPolicy(b) - isPolicy(a)))
    bindLogits(name, model, source);
  for (const name of names) entries.push(...valuesOf(name, responses[name]!));
  if (vocab === undefined) {
    return fail(
      "vocabulary-needed",
      "No response brings logits, so the vocabulary size is unknown; give vocab_size.",
    );
  }
  return assemble({ examples, vocab, responses: tokens }, entries);
}
