// The benchmark as Markdown: a table for each shape, with every figure as a rate, as a share of the adapter's
// ceilings measured in the same run, and as a ratio to the kernels written by hand.

import type { Line } from "./statistics.ts";

export function report(lines: readonly Line[]): string {
  const [first] = lines;
  if (first === undefined) return "Nothing was measured.\n";
  const versions = Object.entries(first.versions).map(([name, version]) => `${name} ${version}`);
  const head = [
    `# Benchmark`,
    "",
    `${first.device}; commit ${first.commit}; ${versions.join(", ")}.`,
    "",
  ];
  const shapes = [...new Set(lines.map(({ rows, vocab, dtype }) => `${rows} ${vocab} ${dtype}`))];
  return [...head, ...shapes.flatMap((shape) => table(shape, lines))].join("\n") + "\n";
}

function table(shape: string, lines: readonly Line[]): readonly string[] {
  const own = lines.filter(({ rows, vocab, dtype }) => `${rows} ${vocab} ${dtype}` === shape);
  const [rows, vocab, dtype] = shape.split(" ");
  const cells = own.map((line) => {
    const same = own.filter(({ objective }) => objective === line.objective);
    const ceiling = same.find(
      ({ provider }) =>
        provider === (line.direction === "backward" ? "ceiling-copy" : "ceiling-read"),
    );
    const hand = same.find(
      ({ provider, direction }) => provider === "expert" && direction === line.direction,
    );
    const share =
      line.direction === "full" || ceiling === undefined
        ? ""
        : `${((100 * line.gb_s) / ceiling.gb_s).toFixed(0)} %`;
    const ratio =
      hand === undefined || hand === line ? "" : (hand.ms_median / line.ms_median).toFixed(2);
    return [
      line.objective,
      line.provider,
      line.direction,
      line.ms_median.toFixed(2),
      `${line.ms_p20.toFixed(2)}–${line.ms_p80.toFixed(2)}`,
      line.gb_s.toFixed(1),
      share,
      ratio,
      line.loss === null ? "" : line.loss.toPrecision(7),
      line.ok ? "" : "WRONG",
    ];
  });
  const titles = [
    "objective",
    "provider",
    "direction",
    "ms",
    "p20–p80",
    "GB/s",
    "of ceiling",
    "speed / expert",
    "loss",
    "",
  ];
  const row = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  return [
    `## ${rows} rows × ${vocab}, ${dtype}`,
    "",
    row(titles),
    row(titles.map(() => "---")),
    ...cells.map(row),
    "",
  ];
}
