// Compares two recorded runs, of two commits, machines or adapters: what both measured, as ratios of times with an interval and a
// verdict, as a table and as a picture.

import { readFileSync, writeFileSync } from "node:fs";
import { PrefcError } from "../core/error.ts";
import { mention } from "../core/quote.ts";
import { schema, type Line } from "./line.ts";
import { ratioPicture } from "./ratios.ts";
import { unpairedRatio, verdictOf, type Estimate, type Verdict } from "./statistics.ts";

/** What one of two runs measured and the other as well. */
export interface Compared {
  readonly name: string;
  readonly before: Line;
  readonly after: Line;
  /** Time of the second / time of the first. */
  readonly ratio: Estimate;
  readonly verdict: Verdict;
}

/** The lines of a file. @throws PrefcError bench-file */
export function readLines(path: string): readonly Line[] {
  const refuse = (what: string): never => {
    throw new PrefcError(
      "bench-file",
      `${mention(path)} ${what}; give a file that prefc bench --json wrote.`,
    );
  };
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const lines = text.split("\n").flatMap((line, position): Line[] => {
    if (line.trim() === "") return [];
    let found: unknown;
    try {
      found = JSON.parse(line);
    } catch {
      return refuse(`holds no JSON in line ${position + 1}`);
    }
    const { schema: form, outcome, samples_ms: samples } = (found ?? {}) as Record<string, unknown>;
    // a line of another framework has another form
    if (outcome !== undefined) return [];
    const isNumbers = Array.isArray(samples) && samples.every((one) => typeof one === "number");
    if (form !== schema || !isNumbers)
      return refuse(
        `has in line ${position + 1} the form ${typeof form === "string" ? mention(form) : "of another version or program"}, where ${schema} is read`,
      );
    return [found as Line];
  });
  return lines.length === 0 ? refuse("holds no line") : lines;
}

const keyOf = (line: Line): string =>
  [line.objective, line.provider, line.direction, line.section, line.layout, line.clock].join("  ");

/** What both runs measured, in the order of the second. */
export function compareLines(before: readonly Line[], after: readonly Line[]): readonly Compared[] {
  const known = new Map(before.map((line) => [keyOf(line), line]));
  return after.flatMap((line): Compared[] => {
    const other = known.get(keyOf(line));
    const ratio = other === undefined ? null : unpairedRatio(line.samples_ms, other.samples_ms);
    if (other === undefined || ratio === null) return [];
    const name = `${line.objective}, ${line.provider}, ${line.direction}`;
    return [{ name, before: other, after: line, ratio, verdict: verdictOf(ratio) }];
  });
}

const interval = ({ interval: range }: Estimate): string =>
  range === null ? "too few rounds" : `${range[0].toFixed(3)} to ${range[1].toFixed(3)}`;

const origin = ({ device, commit, versions }: Line): string =>
  `${device}; commit ${commit}; ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}`;

/** The comparison as Markdown. */
function comparisonText(all: readonly Compared[], columns: readonly [string, string]): string {
  const [{ before, after }] = all as readonly [Compared];
  const rows = all.map(
    ({ name, before: a, after: b, ratio, verdict }) =>
      `| ${name} | ${b.section} | ${a.ms_median.toFixed(3)} | ${b.ms_median.toFixed(3)} | ${ratio.value.toFixed(3)} | ${interval(ratio)} | ${verdict} |`,
  );
  return [
    `${columns[0]}: ${origin(before)}`,
    `${columns[1]}: ${origin(after)}`,
    "",
    `| what | shape | ${columns[0]}, ms | ${columns[1]}, ms | ratio of times | 19 times of 20 within | verdict |`,
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    ...(before.device === after.device
      ? [
          "Runs that were not interleaved also differ by what the machine did meanwhile; --against alternates rounds.",
        ]
      : [`The adapters differ: ratios compare ${before.device} with ${after.device}.`]),
  ].join("\n");
}

export interface CompareOptions {
  readonly picture?: string | undefined;
  readonly report: string | undefined;
}

/** Compares two files, writes what was asked for and returns the table. @throws PrefcError bench-file */
export function compareFiles(
  first: string,
  second: string,
  { picture, report }: CompareOptions,
): string {
  const all = compareLines(readLines(first), readLines(second));
  if (all.length === 0) {
    throw new PrefcError(
      "bench-file",
      `${mention(first)} and ${mention(second)} have nothing in common; measure the same objectives, shapes, clocks and layouts.`,
    );
  }
  const text = comparisonText(all, ["before", "after"]);
  if (report !== undefined) writeFileSync(report, `${text}\n`);
  if (picture !== undefined) writeFileSync(picture, ratioPicture(all, `${first} and ${second}`));
  return text;
}
