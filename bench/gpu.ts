// npm run bench:gpu: everything that is to be known about a machine with a GPU, in one command. What Dawn reports of the adapter,
// then DPO and WPO on logits of a training step (4,096 rows, the vocabulary of Llama 3) stored as f32 and as bf16, with
// the adapter's ceilings and every peer in the same run, and last how near to the copy ceiling prefc came. Options of
// npm run bench that are given here count instead of its own, so that a small shape rehearses all of it.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDevice, type Device } from "../src/index.ts";
import type { Line } from "./line.ts";
import { readOptions } from "./options.ts";

/** Share of the copy ceiling that kernels are to reach, in percent. */
const goal = 85;

const defaults = [
  ["--adapter", "hardware"],
  ["--objectives", "dpo,wpo"],
  ["--rows", "4096"],
  ["--vocab", "128256"],
  ["--dtype", "f32,bf16"],
  ["--repeats", "30"],
  ["--json", "bench-gpu.jsonl"],
  ["--report", "bench-gpu.md"],
].flat();

/** What Dawn says of an adapter, as Markdown. */
export function adapterReport({ line, info, limits, features }: Device): string {
  const lanes =
    info.subgroupMaxSize === 0
      ? "not reported"
      : `${info.subgroupMinSize} to ${info.subgroupMaxSize} lanes`;
  const matrices = info.subgroupMatrixConfigs;
  return [
    "# Adapter",
    "",
    line,
    "",
    `- subgroups: ${lanes}`,
    `- subgroupMatrixConfigs: ${matrices.length === 0 ? "none" : matrices.join(" ")}`,
    `- features: ${features.join(", ")}`,
    ...Object.entries(limits).map(([name, value]) => `- ${name}: ${value}`),
    "",
    "",
  ].join("\n");
}

/** One sentence for each objective and storage: the rate of value and gradient as a share of copying. */
export function verdicts(lines: readonly Partial<Line>[]): readonly string[] {
  return lines.flatMap(({ provider, direction, objective, dtype, gb_s, percent_of_copy }) => {
    // lines of peers have no share of a ceiling
    const isOwn = provider === "compiled" && direction === "full";
    if (!isOwn || typeof percent_of_copy !== "number") return [];
    const outcome = percent_of_copy >= goal ? "reached" : "missed";
    return [
      `${objective}, ${dtype}: value and gradient at ${gb_s!.toFixed(0)} GB/s, ${percent_of_copy.toFixed(0)} % of copying (goal ${goal} %: ${outcome})`,
    ];
  });
}

async function main(given: readonly string[]): Promise<number> {
  const args = [...defaults, "--peers", ...given];
  const { adapter, json } = readOptions(args);
  const device = await openDevice({ adapter: adapter! });
  process.stdout.write(adapterReport(device));
  device.dispose();
  // a process of its own, so that nothing of this one is on the GPU
  const bench = fileURLToPath(new URL("main.ts", import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), bench, ...args],
    { stdio: "inherit" },
  );
  if (status !== 0) return status ?? 1;
  const lines = readFileSync(json!, "utf8").trim().split("\n");
  const sentences = verdicts(lines.map((line) => JSON.parse(line) as Partial<Line>));
  process.stdout.write(`\n${sentences.map((sentence) => `${sentence}\n`).join("")}`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(
        `bench:gpu: ${error instanceof Error ? error.message : String(error)}\n`,
      );
      process.exit(1);
    },
  );
}
