// What an explanation is for, in lines: the shape, which tensors hold the logits, the schedule, and what the objective takes
// and reports. Also the columns that all lines of an explanation share.

import { scheduleLines } from "../schedule/lines.ts";
import type { Explanation } from "./json.ts";
import type { LayoutKind } from "./shape.ts";
import { broken, countText, wrapped } from "./units.ts";

/** Characters of a line, and of the column of names. */
export const width = 100;
export const margin = 12;

/** A name in a column of its own, with text that may take several lines beside it. */
export const entry = (name: string, texts: readonly string[]): readonly string[] =>
  texts.map((text, position) => `  ${(position === 0 ? name : "").padEnd(margin)}${text}`);

export const list = (name: string, items: readonly string[]): readonly string[] =>
  entry(name, wrapped(items.length === 0 ? ["none"] : items, width - margin - 2));

/** What lies in which tensor, and what the other layout costs; nothing where both are the same. */
function layoutText({ shape: { layout }, value, valueAndGrad }: Explanation): readonly string[] {
  const other = layout === "stacked" ? "separate" : "stacked";
  const [gradient, alone] = [valueAndGrad, value].map((given) => given.dispatchesByLayout[other]);
  if (gradient === valueAndGrad.dispatches) return [];
  const cost = `${other} ones take ${gradient} dispatches, for the value alone ${alone}, and move as many bytes`;
  return broken(`${layout}: ${tensorsOf[layout]}; ${cost}`, width - margin - 2);
}
const tensorsOf: Readonly<Record<LayoutKind, string>> = {
  stacked: "all responses of a model in one tensor",
  separate: "a tensor for each response",
};

/** Over what the loss and the metrics are averaged, those that share it together. */
function averageLines({ averages }: Explanation): readonly string[] {
  const named = new Map<string, string[]>();
  for (const [name, over] of Object.entries(averages))
    named.set(over, [...(named.get(over) ?? []), name]);
  return [...named].flatMap(([over, names]) =>
    broken(`over ${over}: ${names.join(", ")}`, width - margin - 2),
  );
}

/** The lines between the formula and what moves. */
export function setting(explanation: Explanation): readonly string[] {
  const { shape, schedule, scheduleOrigin, scheduleProblem, params, state, metrics, dropped } =
    explanation;
  const rows = Object.entries(shape.rows).map(
    ([response, count]) => `${countText(count)} of ${response}`,
  );
  const parameters = Object.entries(params).map(
    ([name, initial]) => `${name} = ${initial === null ? "(no default: must be given)" : initial}`,
  );
  const states = Object.entries(state).map(([name, initial]) => `${name} = ${initial} at first`);
  return [
    ...entry("shape", [
      `${countText(shape.totalRows)} rows of ${countText(shape.vocab)} ${shape.dtype} (${rows.join(", ")}), ${countText(shape.examples)} examples`,
    ]),
    ...entry("layout", layoutText(explanation)),
    ...entry("schedule", [
      ...scheduleLines(schedule),
      ...broken(scheduleOrigin, width - margin - 2),
      ...(scheduleProblem === null ? [] : broken(scheduleProblem, width - margin - 2)),
    ]),
    ...list("parameters", parameters),
    ...(states.length === 0 ? [] : list("state", states)),
    ...list("metrics", metrics),
    ...entry("averages", averageLines(explanation)),
    ...(dropped.length === 0
      ? []
      : list(
          "dropped",
          dropped.map((name) => `${name} (which needs logits)`),
        )),
  ];
}
