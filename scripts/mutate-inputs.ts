// Puts mistakes into golden files, batches in JSON and files of tensors, and reads them: npm run mutate-inputs --
// [--cases 5000] [--seed 1] [--only TEXT]. Each must end in a result, or in a typed error that names the place, in under 200 ms. Prints each fault with
// the bytes that provoke it, and ends with exit status 1 when there is one.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "../src/sample/random.ts";
import { progress } from "../src/cli/progress.ts";
import { entries, entryOf, mutantOf, outcomeOf, workplace } from "../spec/support/inputs.ts";

const longest = 200;
const { values: options } = parseArgs({
  options: {
    cases: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    corpus: { type: "string" },
  },
});
const whole = (name: "cases" | "seed"): number => {
  const value = Number(options[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`mutate-inputs: --${name} must be a whole number, but it is "${options[name]}".`);
  return process.exit(2);
};
const [cases, seed] = [whole("cases"), whole("seed")];

const chosen = entries.filter(({ name }) => name.includes(options.only));
if (chosen.length === 0) {
  console.error(`mutate-inputs: no file is called --only ${options.only}.`);
  process.exit(2);
}
const { path, remove } = workplace();
const bar = progress(process.stderr);
const codes = new Map<string, number>();
const kinds = { result: 0, error: 0, fault: 0 };
let slowest = { milliseconds: 0, what: "" };
try {
  // what is right is read first: it must be, and the first reading of each kind compiles code
  for (const entry of entries) {
    const outcome = await outcomeOf(entry, Buffer.from(entry.original), path);
    if (outcome.kind !== "result") throw new Error(`${entry.name}: ${outcome.detail}`);
  }
  for (let index = 0; index < cases; index++) {
    const source = random(seed, index);
    const entry = entryOf(source, chosen);
    const { bytes, what } = mutantOf(entry, source);
    bar.at(index / cases, `${kinds.fault} faults`);
    let outcome = await outcomeOf(entry, bytes, path);
    // another process may have had the processor: what is slow is slow each time
    for (let again = 0; again < 2 && outcome.milliseconds > longest; again++)
      outcome = await outcomeOf(entry, bytes, path);
    const slow = outcome.milliseconds > longest;
    const detail = slow ? `took ${outcome.milliseconds.toFixed(0)} ms` : outcome.detail;
    kinds[slow ? "fault" : outcome.kind]++;
    if (outcome.kind === "error") codes.set(outcome.detail, (codes.get(outcome.detail) ?? 0) + 1);
    if (outcome.milliseconds > slowest.milliseconds)
      slowest = { milliseconds: outcome.milliseconds, what: `${entry.name} ${what}` };
    if (outcome.kind !== "fault" && !slow) continue;
    bar.end();
    console.log(`case ${index} of seed ${seed}: ${entry.name}, ${what}: ${detail}`);
    if (options.corpus === undefined) continue;
    mkdirSync(options.corpus, { recursive: true });
    writeFileSync(join(options.corpus, `seed-${seed}-case-${index}.json`), bytes);
  }
} finally {
  remove();
}
bar.end();
const counted = [...codes].toSorted((a, b) => b[1] - a[1]);
for (const [code, count] of counted) console.log(`${String(count).padStart(6)}  ${code}`);
console.log(
  `${kinds.result} results, ${kinds.error} typed errors of ${counted.length} codes, seed ${seed}`,
);
console.log(`slowest ${slowest.milliseconds.toFixed(0)} ms: ${slowest.what}`);
console.log(`${kinds.result + kinds.error + kinds.fault} cases, ${kinds.fault} faults`);
process.exit(kinds.fault > 0 ? 1 : 0);
