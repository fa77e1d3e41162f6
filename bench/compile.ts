// npm run bench:compile: how long an objective takes from its formula to WGSL, without the driver's compiler. Each
// built-in objective is compiled in turn, value and gradient; "first" is the first time in this process, where the
// JavaScript engine has not optimised anything yet, and the median is of repeated compiles afterwards. At the end come the
// first gradients of objectives in processes of their own, with the driver's caches off, step by step.

import { measure } from "mitata";
import { cold, coldText } from "../src/bench/cold.ts";
import { readOptions } from "../src/bench/options.ts";
import { builtIn, builtIns, compile } from "../src/index.ts";

const largestMedianMs = 20;

function toWgsl(name: string): number {
  return compile(builtIns[name]!.make())
    .wgsl()
    .reduce((length, { wgsl }) => length + wgsl.length, 0);
}

const only = process.argv.slice(2);
for (const name of only) {
  try {
    builtIn(name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `bench:compile: ${why} Name objectives (npm run bench:compile -- dpo wpo), or none for all of them.\n`,
    );
    process.exit(1);
  }
}
const names = only.length === 0 ? Object.keys(builtIns) : only;
process.stdout.write(`node ${process.version}; milliseconds from objective to WGSL\n`);
process.stdout.write(
  `${"objective".padEnd(28)} ${"first".padStart(8)} ${"median".padStart(8)} ${"p75".padStart(8)}  WGSL\n`,
);
let slowest = 0;
for (const name of names) {
  const start = performance.now();
  const length = toWgsl(name);
  const first = performance.now() - start;
  const { p50, p75 } = await measure(() => toWgsl(name), { min_samples: 10, min_cpu_time: 2e8 });
  slowest = Math.max(slowest, p50 / 1e6);
  const cell = (ms: number): string => ms.toFixed(2).padStart(8);
  process.stdout.write(
    `${name.padEnd(28)} ${cell(first)} ${cell(p50 / 1e6)} ${cell(p75 / 1e6)}  ${(length / 1000).toFixed(1)} kB\n`,
  );
}
process.stdout.write(`slowest median ${slowest.toFixed(2)} ms, goal ${largestMedianMs} ms\n`);

const options = readOptions({ rows: "16", vocab: "1000" });
for (const name of only.length === 0 ? ["sft", "dpo", "wpo"] : only) {
  process.stdout.write(`${coldText(await cold(name, options))}\n`);
}
process.exit(0);
