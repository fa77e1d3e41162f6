// `prefc check OBJECTIVE`: an objective on random ragged batches, a line for each. The derivation of the
// gradient is compared with central differences, and a GPU with the interpreter.

import { defineCommand, type CommandDef } from "citty";
import { checkObjective, type CheckSummary } from "../check/check.ts";
import type { BatchReport } from "../check/report.ts";
import { acceptedGpuError, differencesTolerance } from "../check/error.ts";
import { kinkText } from "../kinks/told.ts";
import { titled } from "../core/quote.ts";
import { storageTypes } from "../core/storage.ts";
import { openDevice, type Device, type StorageType } from "../index.ts";
import { finiteNumber, wholeNumber } from "./arguments.ts";
import { givenHeights, givenObjective, givenParams, objectiveArgs, oneOf } from "./given.ts";
import { printError, printJson, printLine } from "./output.ts";

const args = {
  ...objectiveArgs,
  param: {
    type: "string",
    description: "a run-time parameter, such as beta=0.05; may be repeated",
    valueHint: "name=value",
  },
  batches: {
    type: "string",
    description: "how many random batches; the first step of training is one more",
    default: "20",
    valueHint: "count",
  },
  seed: {
    type: "string",
    description: "what determines the batches",
    default: "1",
    valueHint: "number",
  },
  dtype: {
    type: "string",
    description: "storage of logits and gradient: f32, f16 or bf16",
    default: "f32",
    valueHint: "type",
  },
  engine: {
    type: "string",
    description: "both, or reference to leave the GPU out",
    default: "both",
    valueHint: "name",
  },
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  json: {
    type: "boolean",
    description: "one JSON object a line and batch; all else goes to the error output",
  },
} as const;

const command = defineCommand({
  meta: {
    name: "check",
    description: "Value and gradient on random batches: interpreter, differences, GPU",
  },
  args,
  run: async ({ args: given, rawArgs }) => {
    const objective = await givenObjective(given.objective, rawArgs, args);
    const batches = wholeNumber("batches", given.batches, 1);
    const seed = finiteNumber("seed", given.seed);
    const engine = oneOf("engine", given.engine, ["both", "reference"]);
    const device =
      engine === "reference"
        ? null
        : await openDevice(given.adapter === undefined ? {} : { adapter: given.adapter });
    const tell = given.json === true ? printError : printLine;
    const dtype = oneOf("dtype", given.dtype, storageTypes);
    for (const line of heading(objective.name, seed, device, dtype)) tell(line);
    const options = {
      batches,
      seed,
      device,
      dtype,
      params: givenParams(rawArgs, args),
      heights: givenHeights(rawArgs, args),
    };
    let [failed, late, count] = [0, 0, 0];
    let smallest: BatchReport | undefined;
    const named = new Set<string>();
    let summary: CheckSummary | undefined;
    const told = { ...options, summary: (all: CheckSummary) => void (summary = all) };
    for await (const report of checkObjective(objective, told)) {
      count++;
      if (report.failures.length > 0) failed++;
      if (report.undecided !== null) late++;
      if (report.code !== null && isSmaller(report, smallest)) smallest = report;
      if (given.json === true) printJson(report);
      else printLine(reportText(report, batches));
      for (const kink of report.kinks.filter(({ term }) => !named.has(term))) {
        named.add(kink.term);
        tell(`kink  ${kinkText(kink)}`);
      }
    }
    for (const line of summary === undefined ? [] : summaryLines(summary)) tell(line);
    if (smallest !== undefined) {
      tell(`the smallest batch that failed is number ${smallest.batch}; to make it again:`);
      tell(`\n${smallest.code}\n`);
    }
    const undecided = late === 0 ? "" : `, ${late} ran out of time (--timeout gives more)`;
    tell(`${count - failed - late} passed, ${failed} failed${undecided}`);
    device?.dispose();
    return failed === 0 ? 0 : 1;
  },
});

const sizeOf = ({ tokens, vocab }: BatchReport): number => tokens * vocab;
const isSmaller = (one: BatchReport, other: BatchReport | undefined): boolean =>
  other === undefined || sizeOf(one) < sizeOf(other);

function heading(
  name: string,
  seed: number,
  device: Device | null,
  dtype: StorageType,
): readonly string[] {
  const stored = dtype === "f32" ? "" : `; half a unit of ${dtype} more for a stored gradient`;
  const gpu =
    device === null
      ? ["no GPU, as --engine reference asks"]
      : [
          `GPU ${device.line}`,
          `accepted  GPU against interpreter ${acceptedGpuError().toExponential()}, or what a log-probability unknown by 2^-20 changes${stored}`,
        ];
  return [
    `check ${titled(name)}, seed ${seed}`,
    ...gpu,
    `accepted  interpreter against central differences ${differencesTolerance.toExponential()}, all relative to the loss or the largest gradient`,
  ];
}

/** What was drawn, which branches were not taken, and what is hardly meant. */
function summaryLines({ warnings, drawn, branches, unreached }: CheckSummary): readonly string[] {
  return [
    ...drawn.map((line) => `drew ${line}`),
    ...(branches === 0 || unreached.length > 0
      ? unreached.map((line) => `not checked: ${line}`)
      : [`each of ${branches} branches was taken both ways`]),
    ...warnings.map((line) => `warning: ${line}`),
  ];
}

const errorText = (error: number): string => error.toExponential(1).padStart(7);

function reportText(
  {
    batch,
    mode,
    examples,
    tokens,
    vocab,
    differences,
    gpu,
    failures,
    turned,
    undecided,
  }: BatchReport,
  batches: number,
): string {
  const number = String(batch).padStart(String(batches).length);
  const shape = `examples ${examples}  tokens ${String(tokens).padStart(2)}  vocab ${String(vocab).padStart(4)}`;
  const device =
    gpu === null
      ? ""
      : `  gpu: loss ${errorText(gpu.loss)}  gradient ${errorText(gpu.gradient)}  metrics ${errorText(gpu.metrics)}`;
  const kind = mode === "ordinary" ? "" : `  ${mode}`;
  const side = turned ? " (the GPU took the other side of a kink that rounding decides)" : "";
  const verdict = failures.length === 0 ? `ok${side}` : `FAILED: ${failures.join("; ")}`;
  if (undecided !== null) return `${number}  ${shape}${kind}  out of time: ${undecided}`;
  return `${number}  ${shape}  differences ${errorText(differences)}${device}${kind}  ${verdict}`;
}

export default command as unknown as CommandDef;
