// Responses that come apart: each with its own completion tokens and its own logits, prompt rows already left out or
// skipped by an index. This is the layout of the core itself, so any other can be brought into it.

import { fail } from "../core/error.ts";
import { logitsOf, type ModelName } from "../core/inputs.ts";
import { assemble, examplesOf, type Entry, type Extras } from "./assemble.ts";
import type { Batch, LogitsTensor } from "./batch.ts";
import { memberPath } from "../core/json.ts";
import { checkedElsewhere, checkOptions, type KindsOf } from "../core/options.ts";
import { capacityOf, checkLogitsData, dtypeOf, isGpuBuffer } from "./logits.ts";
import { indices, isNested } from "./numbers.ts";
import { fieldOf, modelsAt } from "./models.ts";
import { listData, rowsOf } from "./lists.ts";
import { requireFields, requireRecord } from "./record.ts";
import { fields, partPath, tokensOf, valuesOf, type ResponseData } from "./response-data.ts";
import { readLogits, readOther, storedIn, type LogitsSource, type StoredLogits } from "./source.ts";
import { cite } from "../core/quote.ts";

export interface ResponsesOptions {
  /** Width of a logits row. Needed if logits are in GPU buffers, if `rows` is given, or if there are no logits. */
  readonly vocab_size?: number;
  /** Any number per example by name, such as a margin. */
  readonly examples?: NonNullable<Extras["examples"]>;
}

const optionKinds: KindsOf<ResponsesOptions> = {
  vocab_size: {
    expected: "a whole number of at least 1",
    fits: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  },
  examples: checkedElsewhere,
};

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
 * An example may have any number of a response: `y: { labels: [[[5, 2], [7]], [[4]]], … }` has two and one.
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
  const lists = new Map(
    names.map((name) => [name, listData(name, responses[name]!, memberPath("", name))]),
  );
  const tokens = Object.fromEntries(names.map((name) => [name, tokensOf(name, responses[name]!)]));
  const [first] = names;
  const examples =
    first === undefined ? 0 : (lists.get(first)?.sizes.length ?? tokens[first]!.offsets.length - 1);
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
    entries.push([
      logitsOf(model, lists.get(name)?.core ?? name),
      { height: "logits", tensor, rowIndex },
    ]);
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
  for (const name of names)
    entries.push(...valuesOf(name, responses[name]!, lists.get(name) ?? null));
  if (vocab === undefined) {
    return fail(
      "vocabulary-needed",
      "No response brings logits, so the vocabulary size is unknown; give vocab_size.",
    );
  }
  const all = names.flatMap((name) => {
    const list = lists.get(name) ?? null;
    return list === null ? [[name, tokens[name]!]] : [rowsOf(list), [list.core, tokens[name]!]];
  });
  return assemble({ examples, vocab, responses: Object.fromEntries(all) }, entries);
}
