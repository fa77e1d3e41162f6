// A short life with WebGPU: open, compile, run, run again, dispose of everything; and what became of each step. One fault may
// cost one step, or both of two runs in flight, which share shaders; each ends in one sentence. Every other step gives the
// same bits as without it, and nothing is left on any device.
import { PrefcError } from "../../src/core/error.ts";
import {
  compile,
  openDevice,
  type Batch,
  type Device,
  type Objective,
  type Value,
  type ValueAndGrad,
} from "../../src/index.ts";
import { injector, type Plan } from "./injector.ts";

/** What became of a step: a digest of every bit of the result, or the error. */
export type Step = { readonly bits: string } | { readonly error: unknown };

export interface Life {
  readonly steps: readonly Step[];
  /** What dispose threw, which it never should. */
  readonly thrown: Error | null;
  readonly calls: readonly string[];
  /** Buffers that were made and not destroyed. */
  readonly left: number;
  /** Bytes that the compiled objective says it holds after its disposal. */
  readonly held: number;
  /** Devices that were opened. */
  readonly devices: number;
}

const bitsOf = (result: Value | ValueAndGrad): string => {
  const gradients = "gradients" in result ? Object.entries(result.gradients) : [];
  const numbers = [result.loss, ...Object.values(result.metrics), ...(result.perExample ?? [])];
  const bytes = [
    new Uint8Array(Float64Array.from(numbers).buffer),
    ...gradients.map(([, data]) => new Uint8Array((data as Float32Array<ArrayBuffer>).buffer)),
  ];
  return [...gradients.map(([name]) => name), ...bytes.map((part) => part.join())].join(" ");
};

/** What becomes of a run. */
export const settled = async (running: Promise<Value | ValueAndGrad>): Promise<Step> => {
  try {
    return { bits: bitsOf(await running) };
  } catch (error) {
    return { error };
  }
};

/** How the two runs of a life follow each other. */
export type Order = "in turn" | "in flight";

export interface Given {
  readonly objective: Objective;
  readonly batches: readonly [Batch, Batch];
  readonly order: Order;
  readonly adapter: string;
  readonly timeoutMs: number;
}

/**
 * Lives through it, with a fault or (null) without. The steps: opening if it fails, else the two runs, and one more after
 * runs in flight.
 */
export const live = async (given: Given, plan: Plan | null): Promise<Life> => {
  const { objective, batches, order, adapter, timeoutMs } = given;
  const { probe, calls, live: left, devices } = injector(adapter, plan);
  const end = (steps: readonly Step[], thrown: Error | null, held: number): Life => {
    const [buffers, opened] = [left.size, devices.length];
    return { steps, thrown, calls, left: buffers, held, devices: opened };
  };
  let device: Device;
  try {
    device = await openDevice({ adapter: "software", probe, timeoutMs });
  } catch (error) {
    for (const one of devices) one.destroy();
    return end([{ error }], null, 0);
  }
  const own = compile(objective, { device });
  const options = { perExample: true, timeoutMs };
  const first = settled(own.valueAndGrad(batches[0], options));
  if (order === "in turn") await first;
  const second = settled(own.valueAndGrad(batches[1], options));
  const steps = [await first, await second];
  if (order === "in flight") steps.push(await settled(own.valueAndGrad(batches[0], options)));
  let thrown: Error | null = null;
  try {
    own.dispose();
    device.dispose();
  } catch (error) {
    thrown = error as Error;
  }
  for (const one of devices) one.destroy();
  return end(steps, thrown, own.memory().bytes);
};

/** What is wrong with a life, in words; empty when all is well. */
export const faultsIn = (life: Life, right: Life, plan: Plan | null): readonly string[] => {
  const wrong: string[] = [];
  const failed: number[] = [];
  life.steps.forEach((step, position) => {
    if ("bits" in step) {
      const expected = right.steps[position]!;
      if (!("bits" in expected) || expected.bits !== step.bits) {
        wrong.push(`step ${position} gave another result`);
      }
      return;
    }
    failed.push(position);
    const { error } = step;
    if (!(error instanceof PrefcError)) wrong.push(`step ${position}: ${String(error)}`);
    else if (!/^[A-Z].{20,}/.test(error.message)) wrong.push(`no sentence: "${error.message}"`);
  });
  const [one, two] = failed;
  const shared = failed.length === 2 && one === 0 && two === 1 && life.steps.length === 3;
  if (failed.length > 1 && !shared) wrong.push(`${failed.length} steps failed`);
  if (life.thrown !== null) wrong.push(`dispose threw ${life.thrown.message}`);
  // a buffer whose destruction itself fails cannot be destroyed
  const excused =
    plan?.fault === "throws before" && life.calls[plan.at] === "GPUBuffer.destroy" ? 1 : 0;
  if (life.left > excused) wrong.push(`${life.left} buffers left`);
  if (life.held > 0) wrong.push(`${life.held} bytes held`);
  return wrong;
};
