// What an emitted file says of itself: a header with formula, source and versions, and the docstring of its function.

import { printExpression } from "../core/infix.ts";
import type { Objective } from "../dsl/objective.ts";
import type { Arguments } from "./arguments.ts";
import { filled, harmless } from "./frame.ts";
import type { Entered } from "./height.ts";
import { wordOf } from "./names.ts";
import type { EmitOptions } from "./options.ts";
import { spoken } from "./spoken.ts";

/** The lines of the header. */
export function heading(
  objective: Objective,
  { from, options, version, hash }: EmitOptions,
  [language, height]: readonly [language: string, height: string],
  coupled: readonly string[],
  entered: Entered,
  responses: readonly string[],
  of: Arguments["of"],
): readonly string[] {
  const what = {
    logits: height,
    statistics: "statistics of each token",
    logps: "log-probabilities of sequences",
  }[from];
  const made = [
    ...(version === undefined ? [] : [`prefc ${version}`]),
    ...(hash === undefined
      ? []
      : [`expression ${hash(printExpression(objective.loss, Infinity))}`]),
    ...(options === undefined || options === "" ? [] : [`options ${options}`]),
  ].join(", ");
  const loss = harmless(spoken(entered.loss, responses, of).join("; "));
  const average = entered.loss.axes.includes("batch") ? "mean over the batch of " : "";
  return [
    ...filled(
      `${harmless(objective.name)} in ${language}, from ${what}${made === "" ? "" : `; ${harmless(made)}`}.`,
    ),
    ...filled(`loss = ${average}${loss}`, "    "),
    ...filled(`source: ${harmless(objective.source)}`, "    "),
    ...(entered.dropped.length === 0
      ? []
      : filled(
          `left out, as they need more than this: ${harmless(entered.dropped.join(", "))}`,
          "    ",
        )),
    ...(coupled.length === 0
      ? []
      : filled(
          `couples examples, so give it the whole batch, gathered: ${harmless(coupled.join("; "))}`,
          "    ",
        )),
  ];
}

/** The docstring of the function: what the rows are, and what no trainer has a name for. */
export function describing(
  { tensors }: Arguments,
  responses: readonly string[],
  totals: readonly string[],
  more: string,
): readonly string[] {
  const rows = responses.map((response) => wordOf(response)).join(", then ");
  const order = responses.length > 1 ? `Rows: ${rows}. ` : "";
  const said = (data: boolean): string =>
    tensors
      .filter(({ meaning }) => meaning.endsWith(", data") === data)
      .map(({ name, meaning }) => `${name}: ${meaning.replace(/, data$/, "")}`)
      .join("; ");
  const meanings = [said(false), said(true)].filter((one) => one !== "").join("; data: ");
  const given = totals.length === 0 ? "" : ` ${totals.join(", ")}: those of the whole batch.`;
  return filled(`"""${harmless(`${order}${meanings}.${given}${more}`)}"""`);
}
