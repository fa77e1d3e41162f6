// The benchmark as Markdown: a table for each shape, with every figure as a time, as a rate, as a share of the adapter's
// ceilings, and as a ratio to the kernels written by hand, all from the same rounds.

import type { Line } from "./line.ts";

export function report(lines: readonly Line[]): string {
  const [first] = lines;
  if (first === undefined) return "Nothing was measured.\n";
  const versions = Object.entries(first.versions).map(([name, version]) => `${name} ${version}`);
  const clock = first.clock === "gpu" ? "GPU timestamps" : "whole calls";
  const head = [
    "# Benchmark",
    "",
    `${first.device}; commit ${first.commit}; ${versions.join(", ")}. Medians of ${first.samples} rounds by ${clock}.`,
    "",
  ];
  const shapes = new Map<string, Line[]>();
  for (const line of lines) {
    shapes.set(line.section, [...(shapes.get(line.section) ?? []), line]);
  }
  return [...head, ...[...shapes.values()].flatMap(table)].join("\n") + "\n";
}

const number = (value: number | null, digits: number): string =>
  value === null ? "" : value.toFixed(digits);
const percent = (value: number | null): string => (value === null ? "" : `${value.toFixed(0)} %`);

const memory = ({ memory_percent: share }: Line): string =>
  share === null ? "" : `${share.toPrecision(2)} %`;

/** What runs beside `compiled` and does the same work. */
const isBeside = ({ provider }: Line): boolean =>
  provider !== "compiled" && !provider.startsWith("ceiling-");

/** Columns: a title and what a line shows in it; columns that no line fills are left out. */
const columns: readonly (readonly [title: string, cell: (line: Line) => string])[] = [
  ["objective", ({ objective }) => objective],
  ["provider", ({ provider }) => provider],
  ["direction", ({ direction }) => direction],
  ["padding", ({ padding }) => (padding === 0 ? "" : percent(100 * padding))],
  ["ms", ({ ms_median }) => number(ms_median, 2)],
  ["p20–p80", ({ ms_p20, ms_p80 }) => `${number(ms_p20, 2)}–${number(ms_p80, 2)}`],
  ["predicted", ({ predicted_ms }) => number(predicted_ms, 2)],
  ["call", ({ clock, wall_ms_median }) => (clock === "wall" ? "" : number(wall_ms_median, 2))],
  ["GB/s", ({ gb_s }) => number(gb_s, 1)],
  ["of read", ({ percent_of_read }) => percent(percent_of_read)],
  ["of copy", ({ percent_of_copy }) => percent(percent_of_copy)],
  ["speed / expert", (line) => (line.provider === "expert" ? "" : number(line.speed_vs_expert, 2))],
  ["time / compiled", (line) => (isBeside(line) ? number(line.ms_vs_compiled, 2) : "")],
  [
    "within",
    ({ ms_vs_compiled_interval: range }) =>
      range === null ? "" : range.map((end) => end.toFixed(2)).join("–"),
  ],
  ["verdict", ({ verdict_vs_compiled: verdict }) => verdict ?? ""],
  ["speed / f32", ({ speed_vs_f32 }) => number(speed_vs_f32, 2)],
  ["time / first", ({ ms_vs_first }) => number(ms_vs_first, 2)],
  ["beside logits", (line) => (line.direction === "full" ? memory(line) : "")],
  ["new buffers", (line) => (line.direction === "full" ? number(line.new_buffers, 0) : "")],
  ["loss", ({ loss }) => (loss === null ? "" : loss.toPrecision(7))],
  ["check", ({ ok, checked_against }) => (ok ? (checked_against === null ? "" : "ok") : "WRONG")],
];

const isCeiling = ({ provider }: Line): boolean => provider.startsWith("ceiling-");

/** Ceilings once, of the first objective; then everything else. */
function table(lines: readonly Line[]): readonly string[] {
  const [{ objective, section }] = lines as readonly [Line];
  const shown = [
    ...lines
      .filter((line) => isCeiling(line) && line.objective === objective)
      .map((line) => ({ ...line, objective: "" })),
    ...lines.filter((line) => !isCeiling(line)),
  ];
  const filled = columns.filter(([, cell]) => shown.some((line) => cell(line) !== ""));
  const row = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  return [
    `## ${section}`,
    "",
    row(filled.map(([title]) => title)),
    row(filled.map(() => "---")),
    ...shown.map((line) => row(filled.map(([, cell]) => cell(line)))),
    "",
  ];
}
