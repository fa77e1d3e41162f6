// Where everything of a batch goes: completion tokens of all responses are stacked into one numbering, each
// logits tensor gets a map from its rows to those tokens, and large tensors are cut into windows of rows that
// fit a binding. Host work only, proportional to rows and tokens, never to the vocabulary.

import type { Batch, LogitsBinding, LogitsTensor } from "../../batch/batch.ts";
import { isList, rowsOfList } from "../../core/axis.ts";
import { nameOfDatum } from "../../core/datum.ts";
import { fail } from "../../core/error.ts";
import type { ModelName } from "../../core/inputs.ts";
import { noToken, otherDispatch } from "../../kernel/kernel.ts";
import type { Plan } from "../../plan/plan.ts";
import { cite } from "../../core/quote.ts";

export interface Stacked {
  /** First token of each response in the stacked numbering, in the plan's order of responses, and the end. */
  readonly bases: readonly number[];
  readonly tokens: number;
  /** How many of the responses an example has one of, or are the responses of lists. */
  readonly singles: number;
  /** How many responses all lists have. */
  readonly listed: number;
  /**
   * The first token of each response of each example, example by example within response by response, and the end; then,
   * of each token, the number of its response of its example in that order. The responses of lists count as tokens. Of a token
   * of one it is the row of its response instead; and the first token of each of these rows follows, and the end.
   */
  readonly ragged: Uint32Array;
  readonly labels: Uint32Array;
}

export function stack(batch: Batch, responses: readonly string[]): Stacked {
  const bases = [0];
  for (const response of responses) {
    bases.push(bases[bases.length - 1]! + (batch.responses[response]?.labels.length ?? 0));
  }
  const tokens = bases[bases.length - 1]!;
  const lists = responses.filter(isList);
  const singles = responses.length - lists.length;
  const items = singles * batch.examples;
  const rows = (list: string): number => batch.responses[rowsOfList(list)]?.labels.length ?? 0;
  const listed = lists.reduce((sum, list) => sum + rows(list), 0);
  const ragged = new Uint32Array(items + 1 + tokens + (lists.length === 0 ? 0 : listed + 1));
  const labels = new Uint32Array(tokens);
  ragged[items] = bases[singles]!;
  let row = 0;
  lists.forEach((list, index) => {
    const own = batch.responses[list];
    const base = bases[singles + index]!;
    const firstRow = bases[singles - lists.length]!;
    for (let response = 0; response < rows(list); response++, row++) {
      const [from, to] = [base + own!.offsets[response]!, base + own!.offsets[response + 1]!];
      ragged[items + 1 + tokens + row] = from;
      ragged.fill(firstRow + row, items + 1 + from, items + 1 + to);
    }
    if (own !== undefined) labels.set(own.labels, base);
  });
  if (lists.length > 0) ragged[items + 1 + tokens + row] = tokens;
  responses.slice(0, singles).forEach((response, position) => {
    const own = batch.responses[response];
    const base = bases[position]!;
    for (let example = 0; example < batch.examples; example++) {
      const item = position * batch.examples + example;
      const [from, to] = [own?.offsets[example] ?? 0, own?.offsets[example + 1] ?? 0];
      ragged[item] = base + from;
      ragged.fill(item, items + 1 + base + from, items + 1 + base + to);
    }
    if (own !== undefined) labels.set(own.labels, base);
  });
  return { bases, tokens, singles, listed, ragged, labels };
}

/** The tensors that one dispatch of a pass reads, by model, and which row is which token. */
export interface RowGroup {
  readonly tensors: readonly { readonly model: ModelName; readonly tensor: LogitsTensor }[];
  /** For each row of the first tensor: its token, `noToken` or `otherDispatch`. */
  readonly tokenOf: Uint32Array;
  /** For each further tensor: the row of each stacked token. */
  readonly rowOf: readonly Uint32Array[];
}

/** Groups the responses of a pass by the tensors their logits live in. */
export function rowGroups(
  batch: Batch,
  stacked: Stacked,
  plan: Plan,
  models: readonly ModelName[],
  responses: readonly string[],
  elsewhere: readonly string[] = [],
): readonly RowGroup[] {
  const [first, ...others] = models as [ModelName, ...ModelName[]];
  const binding = (model: ModelName, response: string): LogitsBinding => {
    const found = batch.inputs[nameOfDatum({ kind: "logits", model, response })];
    return found?.height === "logits"
      ? found
      : fail(
          "missing-input",
          `The batch has no ${model} logits for the response ${cite(response)}; supply them.`,
        );
  };
  const groups = new Map<string, { tensors: readonly LogitsTensor[]; responses: string[] }>();
  const identity = new Map<unknown, number>();
  const numbered = (data: unknown): number => {
    if (!identity.has(data)) identity.set(data, identity.size);
    return identity.get(data)!;
  };
  for (const response of responses) {
    const tensors = models.map((model) => binding(model, response).tensor);
    const key = tensors.map(({ data }) => numbered(data)).join();
    const group = groups.get(key) ?? { tensors, responses: [] };
    group.responses.push(response);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => {
    const tokenOf = new Uint32Array(group.tensors[0]!.rows).fill(noToken);
    const rowOf = others.map(() => new Uint32Array(stacked.tokens));
    for (const response of [...responses, ...elsewhere]) {
      const own = binding(first, response);
      if (own.tensor.data !== group.tensors[0]!.data) continue;
      const mine = group.responses.includes(response);
      const base = stacked.bases[plan.responses.indexOf(response)]!;
      own.rowIndex.forEach((row, position) => {
        if (tokenOf[row] !== noToken) {
          fail(
            "row-used-twice",
            `Row ${row} of the ${first} logits ${cite(own.tensor.name)} predicts two completion tokens (the second is token ${position} of response ${cite(response)}); give each token a row of its own.`,
          );
        }
        tokenOf[row] = mine ? base + position : otherDispatch;
        if (mine)
          others.forEach(
            (model, index) =>
              (rowOf[index]![base + position] = binding(model, response).rowIndex[position]!),
          );
      });
    }
    return {
      tensors: models.map((model, index) => ({ model, tensor: group.tensors[index]! })),
      tokenOf,
      rowOf,
    };
  });
}

/** A run of rows that fits a binding. */
export interface Window {
  readonly firstRow: number;
  readonly rows: number;
}

/** Cuts a tensor into windows whose byte offsets are aligned. @throws PrefcError row-exceeds-binding */
export function windows(
  rows: number,
  rowBytes: number,
  limits: { readonly maxBinding: number; readonly alignment: number },
  what: string,
): readonly Window[] {
  if (rows === 0) return [];
  if (rows * rowBytes <= limits.maxBinding) return [{ firstRow: 0, rows }];
  const step = rowStep(limits.alignment, rowBytes);
  const most = Math.floor(limits.maxBinding / rowBytes / step) * step;
  if (most === 0) {
    fail(
      "row-exceeds-binding",
      `${step} rows of ${what} take ${step * rowBytes} bytes, but the adapter binds ${limits.maxBinding} bytes at most; use an adapter with a larger maxStorageBufferBindingSize.`,
    );
  }
  const all: Window[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += most)
    all.push({ firstRow, rows: Math.min(most, rows - firstRow) });
  return all;
}

/** The fewest rows whose bytes are a multiple of the alignment. */
export function rowStep(alignment: number, rowBytes: number): number {
  return alignment / greatestCommonDivisor(alignment, rowBytes);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The response, example and position of a stacked token, for messages. */
export function locateToken(
  batch: Batch,
  stacked: Stacked,
  plan: Plan,
  token: number,
): { response: string; example: number; position: number } {
  const index = plan.responses.findIndex((_, position) => token < stacked.bases[position + 1]!);
  const response = plan.responses[index]!;
  const own = token - stacked.bases[index]!;
  const { offsets } = batch.responses[response]!;
  const owner = offsets.findIndex((_, position) => own < (offsets[position + 1] ?? Infinity));
  // the tokens of a list belong to its responses, and these to examples
  const listed = isList(response) ? batch.responses[rowsOfList(response)]!.offsets : null;
  const example = listed === null ? owner : listed.findLastIndex((start) => start <= owner);
  return { response, example, position: own - offsets[owner]! };
}
