// Whether a batch has what an expression reads, in the right shape. Every mistake ends in one sentence that
// names the response, example, token or input at fault, before anything is computed. Values are not looked
// at here, except labels: they are indices, and an index outside the vocabulary would read another row.

import {
  isList,
  isOtherAxis,
  isTokenAxis,
  listOfRows,
  ownName,
  rowsAlong,
  rowsAmong,
  rowsOfList,
  type Axis,
} from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { nameOfDatum } from "../core/datum.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { inputAdvice } from "./advice.ts";
import type { Batch, Binding, LogitsBinding } from "./batch.ts";
import {
  capacityOf,
  checkLogitsData,
  describeKind,
  dtypeOf,
  isGpuBuffer,
  vocabOf,
} from "./logits.ts";
import { checkResponse } from "./responses.ts";
import { widthsOf } from "./widths.ts";
import { requireBatch } from "./record.ts";
import { didYouMean } from "../core/names.ts";
import { cite } from "../core/quote.ts";

/** The responses whose tokens the expressions below the roots range over. */
export function responsesNeeded(roots: readonly Node[]): readonly string[] {
  const axes = topological(roots).flatMap((node): readonly Axis[] =>
    "axis" in node ? [...node.axes, node.axis] : node.axes,
  );
  return inOrder(axes.map((axis) => rowsAlong(axis) ?? "").filter((rows) => rows !== ""));
}

/**
 * Responses in the order in which their rows are stacked, once each: those of which an example has one, then the responses of
 * lists, a row each, and the tokens of lists.
 */
export function inOrder(responses: readonly string[]): readonly string[] {
  const all = [...new Set(responses)];
  const lists = all.filter(isList);
  const single = all.filter((name) => !isList(name) && listOfRows(name) === null);
  return [...single, ...lists.map(rowsOfList), ...lists];
}

/** The inputs below the roots that the batch has to bring, in the order in which they are first met. */
export function inputsNeeded(roots: readonly Node[]): readonly Input[] {
  return topological(roots).filter(
    (node): node is Input => node.tag === "input" && node.dtype !== "i32",
  );
}

function checkLogits(name: string, response: string, binding: LogitsBinding, batch: Batch): void {
  const { tensor, rowIndex } = binding;
  const tokens = batch.responses[response]!.labels.length;
  const dtype = dtypeOf(tensor);
  checkLogitsData(tensor.data, dtype, `The tensor ${cite(tensor.name)} of input ${cite(name)}`);
  const vocab = vocabOf(tensor, batch);
  const needed = tensor.rows * vocab;
  const held = capacityOf(tensor.data, dtype);
  if (held < needed) {
    const bytes = isGpuBuffer(tensor.data) ? ` (${tensor.data.size} bytes)` : "";
    fail(
      "logits-too-small",
      `The tensor ${cite(tensor.name)} of input ${cite(name)} holds ${held} numbers${bytes}, but ${tensor.rows} rows of ${vocab} need ${needed}; give all rows or correct the vocabulary size.`,
    );
  }
  if (rowIndex.length !== tokens) {
    fail(
      "row-index-length",
      `Input ${cite(name)} names ${rowIndex.length} rows for the ${tokens} tokens of response ${cite(response)}; give one row per token.`,
    );
  }
  const { labels } = batch.responses[response]!;
  const far = vocab < batch.vocab ? labels.findIndex((label) => label >= vocab) : -1;
  if (far >= 0) {
    fail(
      "label-out-of-range",
      `Token ${far} of response ${cite(response)} has label ${labels[far]}, but the vocabulary of ${cite(name)} has ${vocab} entries; leave the example out, or give a model that has the token.`,
    );
  }
  rowIndex.forEach((row, token) => {
    if (row < tensor.rows) return;
    fail(
      "row-out-of-range",
      `Token ${token} of response ${cite(response)} reads row ${row} of the tensor ${cite(tensor.name)}, which has ${tensor.rows} rows; rows go from 0 to ${tensor.rows - 1}.`,
    );
  });
}

/** What an input over these axes is called, by height. */
function heightOf(node: Input): Binding["height"] {
  const rows = rowsAmong(node.axes);
  const vocab = node.axes.includes("vocab");
  const isRow = rows !== null && (!vocab || node.axes.some(isTokenAxis));
  if (isRow && node.axes.every((axis) => !isOtherAxis(axis))) return vocab ? "logits" : "token";
  if (node.axes.length === 1 && node.axes[0] === "batch") return "example";
  return fail(
    "input-axes",
    `Input ${cite(node.name)} ranges over {${node.axes.join(", ")}}, which no batch can bring; an input is per example, per token, or per token and vocabulary entry.`,
  );
}

const kinds: Readonly<Record<Binding["height"], string>> = {
  logits: "logits, a row of vocabulary size per token",
  token: "one number per completion token",
  example: "one number per example",
};

const perResponse = "one number per response of the list";
const rowsOf = (rows: string): string => {
  const list = listOfRows(rows);
  return list === null
    ? `tokens of response ${cite(ownName(rows))}`
    : `responses of the list ${cite(ownName(list))}`;
};

/** How to compile for what the batch brings of the model instead: one number per token or sequence. */
function lowerAdvice({ datum }: Input, batch: Batch): string | undefined {
  if (datum.kind !== "logits" && datum.kind !== "logp") return undefined;
  const { model, response } = datum;
  const height = (["logp", "logps"] as const).find((kind) =>
    Object.hasOwn(batch.inputs, nameOfDatum({ kind, model, response })),
  );
  return height === undefined
    ? undefined
    : ` The batch brings ${model}_${height}: to use those, write compile(objective, { heights: { ${model}: "${height}" } }).`;
}

function checkInput(node: Input, batch: Batch): void {
  const { name } = node;
  const height = heightOf(node);
  const binding = Object.hasOwn(batch.inputs, name) ? batch.inputs[name] : undefined;
  const what = listOfRows(rowsAmong(node.axes) ?? "") === null ? kinds[height] : perResponse;
  if (binding === undefined) {
    return fail(
      "missing-input",
      `The objective reads ${cite(name)}, which the batch does not bring; supply ${what}: ${inputAdvice(node)}.${lowerAdvice(node, batch) ?? didYouMean(name, Object.keys(batch.inputs))}`,
    );
  }
  if (binding.height !== height) {
    return fail(
      "input-height",
      `Input ${cite(name)} is given as ${kinds[binding.height]}, but the objective reads it as ${what}; supply that instead.`,
    );
  }
  const response = rowsAmong(node.axes) ?? "";
  if (binding.height === "logits") return checkLogits(name, response, binding, batch);
  const { values } = binding;
  if (!(values instanceof Float32Array || values instanceof Float64Array)) {
    fail(
      "input-dtype",
      `Input ${cite(name)} is of type ${describeKind(values)}; give a Float32Array or a Float64Array.`,
    );
  }
  const [expected, of] =
    height === "token"
      ? [batch.responses[response]!.labels.length, rowsOf(response)]
      : [batch.examples, "examples"];
  if (values.length !== expected) {
    fail(
      "input-length",
      `Input ${cite(name)} has ${values.length} values for ${expected} ${of}; give one for each.`,
    );
  }
}

/**
 * Checks that the batch has every response and input that the expressions below `needed` read, well formed.
 * @throws PrefcError with a code per kind of mistake: "empty-batch", "vocabulary-size", "missing-response",
 * "offsets-length", "offsets-start", "offsets-not-ascending", "empty-completion", "labels-length",
 * "label-out-of-range", "missing-input", "input-axes", "input-height", "input-length", "input-dtype",
 * "logits-dtype", "logits-too-small", "row-index-length", "row-out-of-range", "vocabulary-differs".
 */
export function checkBatch(batch: Batch, needed: readonly Node[], where = "evaluate"): void {
  requireBatch(where, batch);
  if (!Number.isInteger(batch.examples) || batch.examples < 1) {
    fail("empty-batch", `The batch has ${batch.examples} examples; give at least one.`);
  }
  if (!Number.isInteger(batch.vocab) || batch.vocab < 1) {
    fail(
      "vocabulary-size",
      `The batch has a vocabulary of ${batch.vocab} entries; give the width of a logits row, at least 1.`,
    );
  }
  for (const response of responsesNeeded(needed)) checkResponse(response, batch);
  for (const node of inputsNeeded(needed)) checkInput(node, batch);
  widthsOf(needed, batch);
}
