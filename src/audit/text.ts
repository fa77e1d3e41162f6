// An audit in lines: each recorded tensor with its worst number beside the right one, the first departure in a sentence, and what
// would explain it.

import { titled } from "../core/quote.ts";
import type { Audit, Tried } from "./audit.ts";
import type { Comparison, Pair } from "./compared.ts";
import { lossKey } from "./quantities.ts";
import type { Step } from "./step.ts";

/** What the adapter made of the same step: the loss and metrics, or why there is none. */
export type OnAdapter =
  | {
      readonly line: string;
      readonly loss: number;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | { readonly why: string };

const number = (value: number): string =>
  Number.isFinite(value) && value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential(4)
    : String(Number(value.toPrecision(9)));
const small = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

const verdict = ({ departs, departures, count }: Comparison): string =>
  departs === null ? "agrees" : `DEPARTS (${departures} of ${count})`;

/** Rows of cells, each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 || column === row.length - 1
          ? cell.padEnd(widths[column]!)
          : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}

const sentence = (key: string, { place, recorded, computed, off, allowed }: Pair): string =>
  `${titled(key)} of ${place}: recorded ${number(recorded)}, right ${number(computed)}, off by ${small(off)} where float32 loses ${small(allowed)} at most.`;

const clause = ({ name, agrees, of }: Tried): string =>
  `${name} (${agrees} of ${of} recorded tensors agree with that)`;

/** The lines of an audit. */
export function auditText(
  step: Step,
  objective: string,
  found: Audit,
  adapter: OnAdapter | null,
): readonly string[] {
  const { comparisons, first, explanations, partly, right, computation } = found;
  const counts = ["w", "l"].map((response) => right.tokens[response]!.labels.length);
  const { policy, ref } = step.logits;
  const models = [
    `policy logits ${policy!.width} wide in ${policy!.dtype}`,
    ...(ref === undefined ? [] : [`ref logits ${ref.width} wide in ${ref.dtype}`]),
  ];
  const rows = comparisons.map(({ worst, ...one }) => [
    titled(one.key),
    titled(one.name),
    ...(worst === null
      ? ["", "", "", ""]
      : [number(worst.recorded), number(worst.computed), small(worst.off), small(worst.allowed)]),
    verdict({ worst, ...one }),
  ]);
  const shown = new Set(comparisons.map(({ key }) => key));
  const alone = [...computation.quantities].filter(
    ([key, { axes }]) => axes.length === 0 && !shown.has(key),
  );
  return [
    `${titled(step.file)}: ${titled(objective)}, ${step.examples} examples, ${counts[0]} tokens of chosen and ${counts[1]} of rejected responses`,
    models.join(", "),
    "",
    ...(rows.length === 0
      ? ["The file holds nothing that the trainer made of the logits, so nothing was compared."]
      : table([
          ["quantity", "recorded as", "recorded", "float64", "off", "float32 loses", ""],
          ...rows,
        ])),
    ...(alone.length === 0 ? [] : ["", "not recorded, in float64:"]),
    ...table([
      ["", "", ""],
      ...alone.map(([key, { values }]) => ["", titled(key), number(values[0]!)]),
    ]).slice(1),
    ...(adapter === null ? [] : ["", ...adapterLines(found, adapter)]),
    ...(step.others.length === 0 ? [] : ["", `not read: ${step.others.map(titled).join(", ")}`]),
    "",
    ...(first === null
      ? [
          rows.length === 0
            ? "Nothing was compared."
            : "No departure: everything that was recorded is what the formula says, within what float32 loses.",
        ]
      : [`First departure: ${sentence(first.key, first.departs!)}`]),
    ...explanations.map(
      (tried, index) => `${index === 0 ? "Explained if" : "        or if"} ${clause(tried)}.`,
    ),
    ...partly.map((tried) => `Explained in part if ${clause(tried)}.`),
    ...(first !== null && explanations.length + partly.length === 0
      ? ["None of the mistakes that were tried explains it."]
      : []),
  ];
}

function adapterLines({ computation }: Audit, adapter: OnAdapter): readonly string[] {
  if ("why" in adapter) return [`on the adapter: ${adapter.why}`];
  const rows = [[lossKey, adapter.loss] as const, ...Object.entries(adapter.metrics)].map(
    ([key, value]) => [
      "",
      titled(key),
      number(value),
      number(computation.quantities.get(key)?.values[0] ?? Number.NaN),
    ],
  );
  return [`on ${adapter.line}, beside float64:`, ...table(rows)];
}
