// Searches for objectives that break the compiler:
//
//   npm run fuzz -- --programs 20000 --seed 1 [--adapter lavapipe|swiftshader|none] [--paths 2] [--corpus .fuzz] [--engine torch]
//   npm run fuzz -- --replay .fuzz/lavapipe-123.json
//
// A run can be stopped and goes on when it is started again. The last line is "N programs, M mismatches", and the exit code
// is 1 if there is a mismatch.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { entryOf, printed, type Case } from "./case.ts";
import { isWellDefined } from "./admit.ts";
import { keep, readState, writeState } from "./corpus.ts";
import { coverage, coverageText, type Coverage } from "./coverage.ts";
import { draw } from "./draw.ts";
import { devices, type Devices } from "./drivers.ts";
import { outcome, type Trial } from "./outcome.ts";
import { openPython } from "../../src/python/worker.ts";
import { allPaths } from "./paths.ts";
import { progress } from "./progress.ts";
import { shrunk } from "./shrink.ts";

const { values: given } = parseArgs({
  options: {
    programs: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    adapter: { type: "string", default: process.env["PREFC_ADAPTER"] ?? "auto" },
    paths: { type: "string", default: "2" },
    corpus: { type: "string", default: ".fuzz" },
    replay: { type: "string" },
    attempts: { type: "string", default: "120" },
    engine: { type: "string", default: "gpu" },
  },
});

const whole = (name: "programs" | "seed" | "paths" | "attempts"): number => {
  const number = Number(given[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`--${name} must be a whole number, but it is ${JSON.stringify(given[name])}`);
  process.exit(2);
};

if (given.engine !== "gpu" && given.engine !== "torch") {
  console.error(`--engine must be gpu or torch, but it is ${JSON.stringify(given.engine)}`);
  process.exit(2);
}
// emitted files are held to the interpreter, for which no adapter is needed
const python = given.engine === "torch" ? await openPython() : null;
if (python !== null) given.adapter = "none";

const opened = (): Devices | null => (given.adapter === "none" ? null : devices(given.adapter));

const finish = (programs: number, mismatches: number): void => {
  console.log(`${programs} programs, ${mismatches} mismatches`);
  process.exitCode = mismatches > 0 ? 1 : 0;
};

/** The seed of the n-th case of a run; runs of different seeds share none. */
const seedOf = (run: number, n: number): number => (Math.imul(run, 0x9e3779b1) + n) >>> 0;

async function replay(file: string): Promise<void> {
  const one = entryOf(readFileSync(file, "utf8"));
  const own = opened();
  const device = (await own?.next()) ?? null;
  const counters = coverage();
  const trial: Trial = {
    entries: 40,
    secondEvery: 1,
    paths: allPaths,
    pathsEvery: 1,
    device,
    python,
  };
  const { found, refused } = await outcome(one, trial, counters);
  console.log(printed(one));
  if (refused !== null) console.log(`refused: ${refused}`);
  for (const sentence of found) console.log(sentence);
  own?.dispose();
  finish(1, found.length > 0 ? 1 : 0);
}

async function search(): Promise<void> {
  const [programs, run] = [whole("programs"), whole("seed")];
  const folder = given.corpus;
  const own = opened();
  const first = await own?.next();
  const adapter = given.adapter;
  const paths = whole("paths");
  let state = readState(folder, run, adapter);
  const counters = coverage(state.counts);
  const bar = progress(programs, state.done, process.stderr);
  console.log(`seed ${run}, ${first?.line ?? "no device"}, corpus ${folder}`);
  if (state.done > 0) console.log(`going on after ${state.done} programs`);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

  const tried = async (one: Case, into: Coverage): Promise<readonly string[]> => {
    const device = (await own?.next()) ?? null;
    const trial: Trial = { entries: 4, secondEvery: 5, paths, pathsEvery: 1, device, python };
    return (await outcome(one, trial, into)).found;
  };
  const report = async (one: Case, found: readonly string[]): Promise<void> => {
    const fails = async (smaller: Case): Promise<boolean> =>
      isWellDefined(smaller) &&
      (await tried(smaller, coverage())).some(
        (sentence) => sentence.split(" ", 2).join() === found[0]!.split(" ", 2).join(),
      );
    bar.clear();
    console.log(`mismatch at seed ${one.seed} (${one.origin.slice(0, 80)}): ${found[0]}`);
    keep(folder, adapter, { ...one, found });
    const least = await shrunk(one, fails, whole("attempts"));
    console.log(printed(least));
    console.log(`kept in ${keep(folder, adapter, { ...least, found })}`);
  };

  while (state.done < programs && !stop.signal.aborted) {
    const seed = seedOf(run, state.done);
    writeState(folder, { ...state, died: state.died + 1, counts: counters.all() });
    const one = draw(seed);
    let mismatches = 0;
    if (state.died >= 2) {
      mismatches = 1;
      keep(folder, adapter, { ...one, found: ["the process ended twice while this was tried"] });
      console.log(`mismatch at seed ${seed}: the process ended twice while it was tried`);
    } else {
      const found = await tried(one, counters);
      if (found.length > 0) {
        mismatches = 1;
        await report(one, found);
      }
    }
    const done = state.done + 1;
    state = { ...state, done, mismatches: state.mismatches + mismatches, died: 0 };
    // without a device nothing else gives signals a turn
    await new Promise((turn) => setTimeout(turn));
    bar.show(done, `${state.mismatches} mismatches`);
  }
  writeState(folder, { ...state, counts: counters.all() });
  bar.clear();
  own?.dispose();
  console.log(`exercised:\n${coverageText(counters)}`);
  finish(state.done, state.mismatches);
}

await (given.replay === undefined ? search() : replay(given.replay));
python?.close();
