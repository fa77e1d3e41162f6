// The page of an adapter: one table for each kind of data, one line for each objective.
import type { Kind } from "./data.ts";
import type { Errors, Measured } from "./measure.ts";

export interface Line {
  readonly objective: string;
  readonly runs: readonly Measured[];
}
export interface Table {
  readonly kind: Kind;
  readonly lines: readonly Line[];
}

/** The value below which this share of the values lies, the nearest one that occurs. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Two digits are as much as such a number means. */
export const short = (value: number): string => {
  if (value === Infinity) return "∞";
  if (value === 0) return "0";
  // far below what f32 can tell apart
  if (value < 0.001) return "< 0.001";
  if (value >= 1e6) return value.toExponential(0).replace("+", "");
  return value >= 10
    ? Math.round(value).toLocaleString("en-US")
    : value.toPrecision(1 + Number(value >= 1));
};

const cell = (runs: readonly Errors[], of: keyof Errors): string => {
  const values = runs.map((run) => run[of]);
  return [0.5, 0.95, 1].map((share) => short(quantile(values, share))).join(" / ");
};

/** One table in Markdown. */
export function tableText({ kind, lines }: Table): string {
  const rows = lines.map(({ objective, runs }) => {
    const [gpu, naive] = [runs.map((run) => run.gpu), runs.map((run) => run.naive)];
    const cells = [
      cell(gpu, "loss"),
      cell(naive, "loss"),
      cell(gpu, "gradient"),
      cell(naive, "gradient"),
    ];
    return `| ${objective} | ${cells.join(" | ")} |`;
  });
  return [
    `## ${kind.name[0]!.toUpperCase()}${kind.name.slice(1)}`,
    "",
    `${kind.summary[0]!.toUpperCase()}${kind.summary.slice(1)}; ${kind.batches} batches for each objective.`,
    "",
    "| objective | loss | loss, naive f32 | gradient | gradient, naive f32 |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** The page. */
export function page(adapter: string, command: string, tables: readonly Table[]): string {
  return [
    `# Accuracy on ${adapter}`,
    "",
    `This page is written by \`${command}\`; run it again instead of changing it.`,
    "",
    "Errors against the interpreter in float64, in units in the last place of f32: of a loss in units of its own value, of a gradient",
    "in units of its largest entry, the worst entry of each batch. Each cell is median / 95th percentile / maximum over the batches.",
    "Beside them is the same formula computed naively: operation by operation as it is written, each result rounded to f32, with pairwise",
    "sums and a log_softmax that takes the maximum out first, which is what trainers run (`scripts/accuracy/naive.ts`).",
    "",
    ...tables.map(tableText),
  ].join("\n");
}
