// Puts mistakes into the rows of operators, the derivatives, the rewrite rules, the algebra of streams and the accumulators, one
// at a time, and runs the specs that must notice: npm run mutate -- [--sample 200] [--seed 1] [--files ops] [--jobs 2]
// [--json FILE]. Prints each mutant that survives, and ends with exit status 1 when fewer than 80 % are killed.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { random } from "../src/sample/random.ts";
import { reasonOf } from "./mutate/equivalent.ts";
import { mutantsOf, type Mutant } from "./mutate/mutants.ts";
import { copyOf, judge, passes, type Verdict } from "./mutate/run.ts";
import { roundsOf } from "./mutate/suites.ts";
import { progress } from "../src/cli/progress.ts";

const least = 0.8;
const root = new URL("../", import.meta.url).pathname;
const { values: options } = parseArgs({
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    files: { type: "string", default: "" },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    json: { type: "string" },
  },
});
const whole = (name: "sample" | "seed" | "jobs", text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`mutate: --${name} must be a whole number, but it is "${text}".`);
  return process.exit(2);
};

const files = readdirSync(`${root}src`, { recursive: true })
  .map((file) => `src/${String(file)}`)
  .filter((file) => roundsOf(file) !== undefined && file.includes(options.files))
  .toSorted();
const sources = new Map(files.map((file) => [file, readFileSync(root + file, "utf8")]));
const all = files.flatMap((file) => mutantsOf(file, sources.get(file)!));
const meant = all.filter((mutant) => reasonOf(mutant, sources.get(mutant.file)!) === undefined);
const seed = whole("seed", options.seed);
const order = random(seed, 0).order(meant.length);
const size = options.sample === undefined ? meant.length : whole("sample", options.sample);
const chosen = order.slice(0, size).map((position) => meant[position]!);
console.log(
  `${all.length} mutants of ${files.length} files, ${all.length - meant.length} of them equivalent; running ${chosen.length} (seed ${seed})`,
);

const copies = Array.from({ length: Math.max(1, whole("jobs", options.jobs)) }, () => copyOf(root));
const bar = progress(process.stderr);
const verdicts = new Map<Mutant, Verdict>();
const place = ({ file, line, original, text }: Mutant): string =>
  `${file}:${line}  ${original.replaceAll(/\s+/g, " ")}  →  ${text.replaceAll(/\s+/g, " ")}`;
try {
  // the specs must pass on the code as it is, and how long they take says when a mutant hangs
  const limits = new Map<string, number>();
  for (const file of files) {
    for (const specs of roundsOf(file)!) {
      const key = specs.join();
      if (limits.has(key)) continue;
      bar.at(0, `without a mutant: ${specs.length} specs of ${file}`);
      const start = performance.now();
      if ((await passes(copies[0]!.folder, specs, 600_000)) !== true) {
        throw new Error(`the specs fail without a mutant: ${specs.join(", ")}`);
      }
      limits.set(key, performance.now() - start);
    }
  }
  const limit = 30_000 + 10 * Math.max(...limits.values());
  const queue = [...chosen];
  await Promise.all(
    copies.map(async (copy) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const verdict = await judge(copy, next, limit);
        verdicts.set(next, verdict);
        if (verdict === "survived") {
          bar.end();
          console.log(`survived  ${place(next)}`);
        }
        const killed = [...verdicts.values()].filter((one) => one !== "survived").length;
        bar.at(verdicts.size / chosen.length, `${verdicts.size} run, ${killed} killed`);
      }
    }),
  );
} finally {
  bar.end();
  for (const copy of copies) copy.remove();
}

const counts = (own: readonly Mutant[]): readonly [killed: number, run: number] => [
  own.filter((mutant) => verdicts.get(mutant) !== "survived").length,
  own.length,
];
for (const file of files) {
  const own = chosen.filter((mutant) => mutant.file === file);
  const [killed, run] = counts(own);
  if (run > 0) console.log(`${file.padEnd(32)} ${String(killed).padStart(4)} of ${run}`);
}
const [killed, run] = counts(chosen);
const late = [...verdicts.values()].filter((one) => one === "timed out").length;
if (options.json !== undefined) {
  const lines = chosen.map((mutant) => ({ ...mutant, verdict: verdicts.get(mutant) }));
  writeFileSync(options.json, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
console.log(
  `${run} mutants, ${killed} killed (${((100 * killed) / Math.max(1, run)).toFixed(1)} %, ${late} by running too long), ${run - killed} survived`,
);
process.exitCode = killed < least * run ? 1 : 0;
