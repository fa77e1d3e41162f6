// Whether the tokens of a response lie in a batch as they should. The responses of a list are rows of each example, and their
// tokens rows of each response; both are in compressed-row form, like the tokens of single responses.

import { isList, listOfRows, ownName, rowsOfList } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import type { ErrorCode } from "../core/error.ts";
import { isPrompt } from "../core/inputs.ts";
import { cite } from "../core/quote.ts";
import { responseAdvice } from "./advice.ts";
import type { Batch } from "./batch.ts";

/** What owns the rows of a response, and how sentences name it. */
interface Owners {
  readonly count: number;
  readonly name: "example" | "response";
  readonly rows: string;
  readonly empty: readonly [code: ErrorCode, sentence: string] | null;
}

function ownersOf(response: string, { examples, responses }: Batch): Owners {
  const list = listOfRows(response);
  if (list !== null) {
    const empty = `no response in the list ${cite(ownName(list))}; leave the example out or give it at least one response`;
    return { count: examples, name: "example", rows: "responses", empty: ["empty-list", empty] };
  }
  const of = isList(response)
    ? `the list ${cite(ownName(response))}`
    : `response ${cite(response)}`;
  const name = isList(response) ? "response" : "example";
  const empty = `no completion token in ${of}; leave the ${name} out or give it at least one token`;
  return {
    count: isList(response) ? (responses[rowsOfList(response)]?.labels.length ?? 0) : examples,
    name,
    rows: "labels",
    empty: isPrompt(response) ? null : ["empty-completion", empty],
  };
}

const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

function missing(response: string, names: readonly string[]): never {
  const list = listOfRows(response) ?? (isList(response) ? response : null);
  if (list !== null) {
    fail(
      "missing-list",
      `The objective reads the list of responses ${cite(ownName(list))}, which the batch does not bring; give fromResponses the labels of each response of each example, e.g. { labels: [[[5, 2], [7]], [[4]]] }.`,
    );
  }
  const own = names.filter((name) => listOfRows(name) === null).map(ownName);
  return fail(
    "missing-response",
    `The objective reads response ${cite(response)}, but the batch has ${own.length === 0 ? "no responses" : own.map((name) => cite(name)).join(", ")}; ${responseAdvice(response, own)}.`,
  );
}

/**
 * Checks one response: offsets ascend from 0 to the number of labels, every label is below `vocab`, and no example is
 * empty unless the response is a prompt.
 * @throws PrefcError "missing-response", "missing-list", "offsets-length", "offsets-start", "offsets-not-ascending",
 * "empty-completion", "empty-list", "labels-length", "label-out-of-range"
 */
export function checkResponse(response: string, batch: Batch): void {
  const { vocab } = batch;
  const tokens = Object.hasOwn(batch.responses, response) ? batch.responses[response] : undefined;
  if (tokens === undefined) return missing(response, Object.keys(batch.responses));
  const { offsets, labels } = tokens;
  const { count, name, rows, empty } = ownersOf(response, batch);
  const what = cite(ownName(listOfRows(response) ?? response));
  if (offsets.length !== count + 1) {
    fail(
      "offsets-length",
      `Response ${what} has ${offsets.length} offsets for ${count} ${name}s; give one more offset than ${name}s.`,
    );
  }
  if (offsets[0] !== 0) {
    fail(
      "offsets-start",
      `The offsets of response ${what} start at ${offsets[0]}; they must start at 0.`,
    );
  }
  for (let owner = 0; owner < count; owner++) {
    const [from, to] = [offsets[owner]!, offsets[owner + 1]!];
    if (to < from) {
      fail(
        "offsets-not-ascending",
        `The offsets of response ${what} fall from ${from} to ${to} at ${name} ${owner}; they must ascend.`,
      );
    }
    if (to === from && empty !== null) fail(empty[0], `${capital(name)} ${owner} has ${empty[1]}.`);
  }
  if (labels.length !== offsets[count]) {
    fail(
      "labels-length",
      `Response ${what} has ${labels.length} ${rows}, but its offsets end at ${offsets[count]}; the two must agree.`,
    );
  }
  labels.forEach((label, token) => {
    if (label < vocab) return;
    const owner = offsets.findLastIndex((start) => start <= token);
    fail(
      "label-out-of-range",
      `Token ${token - offsets[owner]!} of ${name} ${owner} in response ${what} has label ${label}, but the vocabulary has ${vocab} entries; labels go from 0 to ${vocab - 1}.`,
    );
  });
}
