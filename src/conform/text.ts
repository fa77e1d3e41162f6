// Reports of a conformance run for people and for programs: aligned lines, one a file, and the sentences at the end.

import { titled, visible } from "../core/quote.ts";
import type { Judgement } from "./judge.ts";
import type { FileReport } from "./file.ts";
import type { ConformReport, Start } from "./run.ts";

const brief = (error: number): string =>
  (Number.isNaN(error) ? "—" : error === Infinity ? "inf" : error.toExponential(1)).padStart(7);

const column = ({ engine, loss, gradient }: Judgement): string =>
  `${engine} loss ${brief(loss)} grad ${brief(gradient)}`;

/** Writes lines whose columns are as wide as the widest entry among the files. */
export function lineWriter({ files }: Start): (report: FileReport) => string {
  const widest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map(({ length }) => length));
  const [file, objective] = [
    widest(files.map((entry) => entry.file)),
    widest(files.map((entry) => titled(entry.objective))),
  ];
  return (report) => {
    const { source } = report;
    const verdict = report.verdict === "upstream defect" ? "—" : report.verdict;
    const own =
      source === null
        ? ""
        : `  (source f32: loss ${brief(source.loss).trim()} grad ${brief(source.gradient).trim()})`;
    const columns = report.engines.map((judgement) => `  ${column(judgement)}`).join("");
    const head = `${verdict.padEnd(4)}  ${report.file.padEnd(file)}  ${titled(report.objective).padEnd(objective)}${columns}${own}`;
    const label = report.verdict === "upstream defect" ? "upstream defect: " : "not compared: ";
    const below = [...report.failures, ...report.notes.map((note) => `${label}${note}`)];
    return [head.trimEnd(), ...below.map((line) => `        ${line}`)].map(visible).join("\n");
  };
}

/** 2^-24, half a unit in the last place: below it two float32 results do not differ in accuracy. */
const halfUnit = 2 ** -24;

/** On how many files the GPU's loss and gradient are at least as accurate as the source's own float32 run. */
function against(files: readonly FileReport[]): string | null {
  const pairs = files.flatMap(({ engines, source }) => {
    const gpu = engines.find(({ engine }) => engine === "gpu");
    return gpu === undefined || source === null || Number.isNaN(gpu.loss) ? [] : [{ gpu, source }];
  });
  if (pairs.length === 0) return null;
  const atLeast = (part: "loss" | "gradient"): typeof pairs =>
    pairs.filter(({ gpu, source }) => gpu[part] <= Math.max(source[part], halfUnit));
  const [loss, gradient] = [atLeast("loss"), atLeast("gradient")];
  const both = loss.filter((pair) => gradient.includes(pair));
  return `at least as accurate as the source's own float32 (to half a unit in the last place): loss on ${loss.length}, gradient on ${gradient.length}, both on ${both.length} of ${pairs.length} files`;
}

/** The sentences after the last file; the last one counts the files that passed and failed. */
export function summary({
  files,
  adapter,
  passed,
  failed,
  defects,
}: ConformReport): readonly string[] {
  const comparison = against(files);
  return [
    ...(adapter === null ? [] : [`adapter: ${adapter}`]),
    ...(files.length === 0 ? ["no golden file matches"] : []),
    ...(comparison === null ? [] : [comparison]),
    ...(defects === 0
      ? []
      : [
          `${defects} upstream ${defects === 1 ? "defect" : "defects"}: recorded as the source computes, not compared, neither passed nor failed`,
        ]),
    `${passed} passed, ${failed} failed`,
  ];
}

/** A report as one line of JSON; numbers that are not finite are the strings that golden files use. */
export const jsonLine = (report: FileReport): string =>
  visible(
    JSON.stringify(report, (_, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    ),
  );
