// Measures how far the losses and gradients of a GPU are from float64, over ordinary and hard data, beside those of naive f32:
// npm run accuracy -- [--objectives dpo,wpo | all] [--adapter swiftshader] [--kinds peaked,offset] [--seed 1]. Writes
// docs/accuracy/ADAPTER.md, and prints the same tables.
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { random } from "../src/sample/random.ts";
import { builtIn, builtIns, compile, openDevice, PrefcError } from "../src/index.ts";
import { hardBatch, kinds } from "./accuracy/data.ts";
import { measure, type Measured } from "./accuracy/measure.ts";
import { page, tableText, type Line } from "./accuracy/report.ts";
import { progress } from "../src/cli/progress.ts";

/** Of each way of computing a loss, one or two. */
const usual =
  "dpo,wpo,ipo,hinge,exo_pair,nca_pair,sppo_hard,apo_down,simpo,orpo,kto,tdpo2,alphapo,sft".split(
    ",",
  );

const { values: options } = parseArgs({
  options: {
    objectives: { type: "string" },
    kinds: { type: "string" },
    adapter: { type: "string" },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
  },
});
const refuse = (sentence: string): never => {
  console.error(sentence);
  return process.exit(2);
};
const seed = Number(options.seed);
if (!Number.isSafeInteger(seed))
  refuse(`accuracy: --seed must be a whole number, but it is "${options.seed}".`);
const names =
  options.objectives === "all" ? Object.keys(builtIns) : (options.objectives?.split(",") ?? usual);
const wanted = options.kinds?.split(",") ?? kinds.map(({ name }) => name);
for (const name of wanted)
  if (!kinds.some((kind) => kind.name === name))
    refuse(
      `accuracy: there is no kind of data "${name}"; there are ${kinds.map((kind) => kind.name).join(", ")}.`,
    );
const chosen = kinds.filter(({ name }) => wanted.includes(name));

try {
  const objectives = names.map((name) => ({ name, objective: builtIn(name) }));
  const device = await openDevice(
    options.adapter === undefined ? {} : { adapter: options.adapter },
  );
  console.log(`adapter  ${device.line}\nseed     ${seed}\n`);
  const bar = progress(process.stderr);
  const lines = new Map(chosen.map((kind): [typeof kind, Line[]] => [kind, []]));
  const total = objectives.length * chosen.length;
  let done = 0;
  for (const { name, objective } of objectives) {
    const compiled = compile(objective, { device, metrics: false });
    for (const kind of chosen) {
      const runs: Measured[] = [];
      for (let number = 0; number < kind.batches; number++) {
        bar.at((done + number / kind.batches) / total, `${name}, ${kind.name} data`);
        const stream = 1_000 * kinds.indexOf(kind) + number;
        const needs = { ...compiled.program, fewestExamples: 2 };
        runs.push(await measure(compiled, hardBatch(kind, needs, random(seed, stream))));
      }
      done++;
      lines.get(kind)!.push({ objective: name, runs });
    }
    compiled.dispose();
  }
  bar.end();
  const tables = chosen.map((kind) => ({ kind, lines: lines.get(kind)! }));
  console.log(tables.map(tableText).join("\n"));
  const { info } = device;
  const adapter = (info.description || info.device || info.architecture || "adapter").trim();
  const file = /swiftshader/i.test(device.line)
    ? "swiftshader"
    : /llvmpipe|lavapipe/i.test(device.line)
      ? "lavapipe"
      : adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const folder = options.out ?? new URL("../docs/accuracy", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  const given = process.argv.slice(2).join(" ");
  writeFileSync(
    `${folder}/${file}.md`,
    page(device.line, `npm run accuracy${given === "" ? "" : ` -- ${given}`}`, tables),
  );
  console.log(`written to ${folder}/${file}.md`);
  device.dispose();
  process.exit(0);
} catch (error) {
  if (!(error instanceof PrefcError)) throw error;
  refuse(error.message);
}
