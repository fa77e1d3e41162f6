// The parts of a soak: each goes on for as long as it is asked to, and ends in one line that says what was seen and whether
// that is a breach.
import fc from "fast-check";
import { random } from "../../src/sample/random.ts";
import type { Device } from "../../src/index.ts";
import { applies } from "../../spec/faults/injector.ts";
import { failures, livesOn, losses } from "../../spec/faults/kinds.ts";
import { faultsIn, live } from "../../spec/faults/scenario.ts";
import { coldStart } from "./commands.ts";
import { compileCycle, deviceCycle, remembering } from "./cycles.ts";
import { growthOf, sample, samplesAt, type Sample } from "./memory.ts";
import { coreShare, waitsOn } from "./waits.ts";

export interface Outcome {
  readonly line: string;
  readonly breach: boolean;
}
/** Called before each step: how many of all are done. */
export type OnStep = (done: number) => void;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const percent = (share: number): string => `${share >= 0 ? "+" : ""}${(100 * share).toFixed(1)} %`;

/** Goes through cycles and says how memory grew. @throws what a cycle throws */
export async function flat(
  name: string,
  count: number,
  allowed: number,
  cycle: (number: number) => Promise<void>,
  onStep: OnStep,
): Promise<Outcome> {
  const due = samplesAt(count);
  const samples: Sample[] = [];
  for (let number = 0; number < count; number++) {
    onStep(number / count);
    await cycle(number);
    if (due.has(number)) samples.push(await sample());
  }
  const kinds = ["rss", "heap", "external"] as const;
  const parts = kinds.map((kind) => ({ kind, ...growthOf(samples.map((one) => one[kind])) }));
  // what lies outside the heap is a few megabytes, of which one array is much; RSS holds it too
  const breach = parts.some(({ kind, growth }) => kind !== "external" && growth > allowed);
  const said = parts.map(
    ({ kind, before, after, growth }) =>
      `${kind} ${megabytes(before)} to ${megabytes(after)} (${percent(growth)})`,
  );
  return { line: `${name}: ${count} cycles, ${said.join(", ")}`, breach };
}

export const compileCycles = (
  device: Device,
  count: number,
  allowed: number,
  onStep: OnStep,
): Promise<Outcome> => {
  const check = remembering();
  const cycle = (number: number): Promise<void> => compileCycle(device, number, check);
  return flat("compile, run, dispose", count, allowed, cycle, onStep);
};

export const deviceCycles = (
  adapter: string,
  count: number,
  allowed: number,
  onStep: OnStep,
): Promise<Outcome> => {
  const check = remembering();
  const cycle = (number: number): Promise<void> => deviceCycle(adapter, number, check);
  return flat("devices", count, allowed, cycle, onStep);
};

export async function coldStarts(
  adapter: string,
  count: number,
  onStep: OnStep,
  main?: readonly string[],
): Promise<Outcome> {
  const wrong: string[] = [];
  for (let number = 0; number < count; number++) {
    onStep(number / count);
    const problem = await coldStart(adapter, number, main);
    if (problem !== null) wrong.push(problem);
  }
  const line = `cold starts: ${count}, ${wrong.length} ended badly`;
  return { line: [line, ...wrong].join("\n  "), breach: wrong.length > 0 };
}

/** Lives through faults at random calls. */
export async function faultyLives(
  adapter: string,
  count: number,
  seed: number,
  onStep: OnStep,
): Promise<Outcome> {
  const drawn = fc.sample(livesOn(adapter), { numRuns: count, seed });
  const wrong: string[] = [];
  for (const [number, life] of drawn.entries()) {
    onStep(number / count);
    const draw = random(seed, number);
    const faults = [...losses, ...failures];
    const fault = faults[draw.integer(0, faults.length - 1)]!;
    const right = await live(life.given, null);
    const places = [...right.calls.keys()].filter((at) => applies(fault, right.calls[at]!));
    const plan = { at: places[draw.integer(0, places.length - 1)]!, fault };
    const found = faultsIn(await live(life.given, plan), right, plan);
    const where = `${fault} at ${right.calls[plan.at]} (${plan.at})`;
    wrong.push(...found.map((one) => `${where}: ${one}; ${fc.stringify(life)}`));
  }
  const line = `faults: ${count} lives, ${wrong.length} wrong (seed ${seed})`;
  return { line: [line, ...wrong].join("\n  "), breach: wrong.length > 0 };
}

/** A wait that takes more of a core than this is no wait. */
const mostOfACore = 0.5;

export async function measuredWaits(device: Device, rows: number, times: number): Promise<Outcome> {
  const { slept, polled } = await waitsOn(device, rows, times);
  const mean = (waits: typeof slept, of: "wall" | "thread"): string =>
    (waits.reduce((sum, wait) => sum + wait[of], 0) / waits.length).toFixed(1);
  const said = (waits: typeof slept): string =>
    `${mean(waits, "thread")} of ${mean(waits, "wall")} ms (${(100 * coreShare(waits)).toFixed(0)} % of a core)`;
  return {
    line: `waits: ${times} runs of ${rows} rows of 128,256 logits, the waiting thread computes ${said(slept)}; without the sleep ${said(polled)}`,
    breach: coreShare(slept) > mostOfACore,
  };
}
