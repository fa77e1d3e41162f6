// Reads the results of a run back: scalars under their names, the loss of each example, and gradients.

import type { Batch } from "../batch/batch.ts";
import { bufferBytes, dtypeOf } from "../batch/logits.ts";
import type { Program } from "../compile/pipeline.ts";
import { fail } from "../core/error.ts";
import type { Plan } from "../plan/plan.ts";
import type { GradientOptions, Gradients, RunOptions, Value } from "./api.ts";
import type { Executed } from "./execute.ts";

/** @throws PrefcError value-not-finite */
export async function valueOf(
  program: Program,
  plan: Plan,
  batch: Batch,
  done: Executed,
  options: RunOptions,
): Promise<Value> {
  const [loss, ...others] = [...done.scalars] as [number, ...number[]];
  const names = Object.keys(program.metrics);
  const metrics = Object.fromEntries(names.map((name, n) => [name, others[n]!]));
  const next = Object.keys(program.next);
  const state = Object.fromEntries(next.map((name, n) => [name, others[names.length + n]!]));
  const where = program.source.name;
  checkFinite(where, "The loss", loss);
  for (const [name, number] of Object.entries(metrics)) {
    checkFinite(where, `The metric "${name}"`, number);
  }
  for (const [name, number] of Object.entries(state)) {
    checkFinite(where, `The next value of the state "${name}"`, number);
  }
  const value = { loss, metrics, state, ...(done.times === null ? {} : { times: done.times }) };
  if (options.perExample !== true || plan.perExample === null) return value;
  const bytes = 8 * batch.examples;
  const during = "reading the loss of each example";
  const read = await done.read(done.examples, plan.perExample * bytes, bytes, during);
  return { ...value, perExample: singlesOf(new Float32Array(read)) };
}

function checkFinite(objective: string, what: string, number: number): void {
  if (Number.isFinite(number)) return;
  fail(
    "value-not-finite",
    `${what} of "${objective}" is ${number} in float32: a value left its range; check parameters and rewards, or run the reference interpreter for its float64 value.`,
  );
}

export async function gradientsOf(
  plan: Plan,
  batch: Batch,
  done: Executed,
  { gradients: wanted, into = {} }: GradientOptions,
): Promise<Gradients> {
  const gradients: Record<string, Gradients[string]> = {};
  const bytes = (buffer: GPUBuffer, start: number, length: number): Promise<ArrayBuffer> =>
    done.read(buffer, start, length, "reading a gradient");
  const read = async (buffer: GPUBuffer, start: number, length: number): Promise<Float32Array> =>
    new Float32Array(await bytes(buffer, start * 4, length * 4));
  for (const [name, { buffer, tensor }] of done.gradients) {
    const entries = tensor.rows * batch.vocab;
    const dtype = dtypeOf(tensor);
    if (wanted === "keep" || Object.hasOwn(into, name)) gradients[name] = buffer;
    else if (dtype === "f32") gradients[name] = await read(buffer, 0, entries);
    else {
      const words = await bytes(buffer, 0, bufferBytes(entries, dtype));
      gradients[name] = new Uint16Array(words, 0, entries);
    }
  }
  for (const { input, response, slot } of plan.highGradients) {
    if (response === null) {
      const pairs = await read(done.examples, 2 * slot * batch.examples, 2 * batch.examples);
      gradients[input] = singlesOf(pairs);
      continue;
    }
    const base = done.stacked.bases[plan.responses.indexOf(response)]!;
    const { length } = batch.responses[response]!.labels;
    gradients[input] = await read(done.rows, slot * done.stacked.tokens + base, length);
  }
  return gradients;
}

/** Values per example are pairs whose first part is the nearest single float. */
const singlesOf = (pairs: Float32Array): Float32Array => pairs.filter((_, i) => i % 2 === 0);
