// npm run bench:gpu: everything that is to be known about a machine with a GPU, in one command. What Dawn reports of the adapter,
// then DPO and WPO on logits of a training step (4,096 rows, the vocabulary of Llama 3) stored as f32 and as bf16, with the
// adapter's ceilings, kernels written by hand and PyTorch in the same run, memory in place, and a verdict on each goal. All of it goes
// into a folder. What is missing, or does not fit, is stated, and the rest goes on. Options of npm run bench that are
// given count instead of its own.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { leave, printError, tolerateClosedPipes } from "../src/cli/output.ts";
import { openDevice, type Device } from "../src/index.ts";
import { peerVerdicts, sentenceOf, verdicts, type Verdict } from "./goals.ts";
import { adapterReport, jsonOf, markdownOf, type Findings } from "./gpureport.ts";
import type { Line } from "../src/bench/line.ts";
import { readCheckoutOptions as readOptions, usage } from "./options.ts";
import type { PeerLine } from "./peerlines.ts";

const real = ["--adapter", "hardware", "--rows", "4096", "--vocab", "128256", "--repeats", "30"];
const rehearsal = ["--rows", "64", "--vocab", "512", "--repeats", "3"];
const always = ["--objectives", "dpo,wpo", "--dtype", "f32,bf16"];
const torch = "--peers=torch-cuda,torch-cuda-compile";

const inPlace = "in-place";

/** Rows are halved down to here where more do not fit. */
const fewestRows = 64;

/** Takes `--out FOLDER` from the command line. @throws Error with one sentence */
export function outOf(args: readonly string[]): { readonly out: string; readonly rest: string[] } {
  const rest: string[] = [];
  let out = "bench-gpu";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const given = arg === "--out" ? args[++i] : /^--out=(.*)$/.exec(arg)?.[1];
    if (arg !== "--out" && given === undefined) {
      if (/^--(json|report|roofline)\b/.test(arg))
        throw new Error(`${arg}: every file goes into one folder; name it with --out.`);
      rest.push(arg);
    } else if (given === undefined || given === "" || given.startsWith("--"))
      throw new Error("--out needs a folder.");
    else out = given;
  }
  return { out, rest };
}

/** Whether fewer rows may do where this sentence ended a run. */
export const isTooLarge = (sentence: string): boolean =>
  /memory|fewer rows|byte budget|too large/i.test(sentence);

/** Runs the benchmark in a process of its own, so that it can fail alone; gives the sentence that ended it, or null. */
function bench(args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const program = fileURLToPath(new URL("main.ts", import.meta.url));
    const node = [process.execPath, "--import", import.meta.resolve("tsx")] as const;
    const child = spawn(node[0], [...node.slice(1), program, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
    const why = (): string => /^bench: (.*)$/m.exec(said)?.[1] ?? said.trim().split("\n").at(-1)!;
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) =>
      resolve(code === 0 ? null : `ended by ${signal ?? `code ${code}`}: ${why()}`),
    );
  });
}

const linesIn = (file: string): readonly (Line | PeerLine)[] => {
  try {
    const texts = readFileSync(file, "utf8").split("\n");
    return texts.flatMap((text) => (text === "" ? [] : [JSON.parse(text) as Line | PeerLine]));
  } catch {
    return [];
  }
};
const isPeer = (line: Line | PeerLine): line is PeerLine => "outcome" in line;

interface Part {
  readonly name: string;
  readonly args: readonly string[];
}

/** A part with as many rows as fit. */
async function measure({ name, args }: Part, out: string, missing: string[]): Promise<Findings> {
  const file = (ending: string): string => join(out, `${name}.${ending}`);
  const picture = name === inPlace ? [] : ["--roofline", file("svg")];
  const files = ["--json", file("jsonl"), "--report", file("md"), ...picture];
  let [rows] = readOptions(args).rows as readonly [number];
  for (;;) {
    process.stderr.write(`bench:gpu: ${name}, ${rows} rows\n`);
    for (const ending of ["jsonl", "md", "svg"]) rmSync(file(ending), { force: true });
    const why = await bench([...args, "--rows", `${rows}`, ...files]);
    if (why === null) break;
    missing.push(`${name}, ${rows} rows: ${why}`);
    if (!isTooLarge(why) || rows / 2 < fewestRows) break;
    rows /= 2;
  }
  const all = linesIn(file("jsonl"));
  const own = all.filter((line): line is Line => !isPeer(line));
  const found: readonly Verdict[] = [...verdicts(own), ...peerVerdicts(all.filter(isPeer), own)];
  const text = ((): readonly string[] => {
    try {
      return [readFileSync(file("md"), "utf8")];
    } catch {
      return [];
    }
  })();
  return { device: null, missing: [], verdicts: found, reports: text };
}

/** The adapter that is asked for; where that is hardware and there is none, any, for a rehearsal. */
async function open(
  given: readonly string[],
  missing: string[],
): Promise<{ device: Device | null; args: readonly string[] }> {
  const { adapter } = readOptions([...real, ...always, torch, ...given]);
  const isRehearsal = adapter !== "hardware";
  try {
    const device = await openDevice({ adapter: adapter! });
    return {
      device,
      args: [...real, ...(isRehearsal ? rehearsal : []), ...always, torch, ...given],
    };
  } catch (error) {
    missing.push(error instanceof Error ? error.message : String(error));
    if (isRehearsal) return { device: null, args: [] };
    return await open([...given, "--adapter", "software"], missing);
  }
}

async function main(given: readonly string[]): Promise<number> {
  if (given.includes("--help") || given.includes("-h")) {
    process.stdout.write(
      `npm run bench:gpu -- [--out FOLDER] [options of npm run bench]\n\n${usage()}`,
    );
    return 0;
  }
  const { out, rest } = outOf(given);
  readOptions(rest);
  mkdirSync(out, { recursive: true });
  const missing: string[] = [];
  const { device, args } = await open(rest, missing);
  const parts: Findings[] = [];
  const findings = (): Findings => ({
    device,
    missing,
    verdicts: parts.flatMap((part) => part.verdicts),
    reports: parts.flatMap((part) => part.reports),
  });
  const write = (): void => {
    writeFileSync(join(out, "summary.json"), jsonOf(findings()));
    writeFileSync(join(out, "report.md"), markdownOf(findings()));
  };
  write();
  if (device !== null) {
    process.stdout.write(`${adapterReport(device)}\n`);
    if (device.line.includes("software]"))
      missing.push("This is a rehearsal without a GPU; its times say nothing.");
    // nothing of this process is on the GPU while others are timed
    device.dispose();
    const alone = "--directions full --clock wall --repeats 2 --dtype f32 --in-place".split(" ");
    const small = args.filter((arg) => !arg.startsWith("--peers"));
    const all: readonly Part[] = [
      ...readOptions(args).dtype.map((dtype) => ({
        name: dtype,
        args: [...args, "--dtype", dtype],
      })),
      { name: inPlace, args: [...small, ...alone] },
    ];
    for (const part of all) {
      parts.push(await measure(part, out, missing));
      write();
    }
  }
  const { verdicts: found } = findings();
  process.stdout.write(found.map((verdict) => `${sentenceOf(verdict)}\n`).join(""));
  for (const sentence of missing) printError(`bench:gpu: ${sentence}`);
  process.stdout.write(
    `Everything is in ${out}: report.md, summary.json and the lines of each part.\n`,
  );
  return found.length === 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  tolerateClosedPipes();
  await main(process.argv.slice(2)).then(leave, (error: unknown) => {
    printError(`bench:gpu: ${error instanceof Error ? error.message : String(error)}`);
    return leave(1);
  });
}
