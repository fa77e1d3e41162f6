// Whether a compiled objective computed the right thing on the benchmark's batch, by values that it did not compute itself:
// the loss by the interpreter, and the gradient by the interpreter where there are few logits, else by hand-written kernels.

import type { Batch, Compiled } from "../src/index.ts";
import { interpret, type Truth as Interpreted } from "../src/check/compare.ts";
import { acceptedGpuError, gradientError, lossError } from "../src/check/error.ts";
import { fromHalf, type StorageType } from "../src/core/storage.ts";
import { scatterRows } from "../src/reference/tensor.ts";
import { hostPart } from "./data.ts";
import type { Check, Place } from "./provider.ts";

export const interpreter = "interpreter, float64";

/** Logits of a batch on which the interpreter takes the gradient as well. */
const smallEntries = 2 ** 17;

/** What rounding the largest entry of a gradient to a type may change: half a unit of its last place. */
const rounding: Readonly<Record<StorageType, number>> = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 };

/** `beside`: how far the gradient is from one that hand-written kernels left; null where there is none. */
export async function checkOf(
  compiled: Compiled,
  { layout, truth, held }: Place,
  batch: Batch,
  loss: number,
  beside: number | null,
): Promise<Check> {
  const { program } = compiled;
  const expected = truth.loss(program, batch);
  const small = layout.completionRows * layout.vocab <= smallEntries;
  // of two gradients that are both rounded each may be off by half a unit
  const judged = (
    lossOff: number,
    gradientOff: number | null,
    against: string,
    roundings: number = 1,
  ): Check => ({
    loss,
    lossError: lossOff,
    gradientError: gradientOff,
    against,
    ok:
      lossOff <= acceptedGpuError() &&
      (gradientOff ?? 0) <= acceptedGpuError() + roundings * rounding[held.dtype],
  });
  if (expected !== null && !small) {
    const against = beside === null ? interpreter : `${interpreter}; gradient: expert`;
    return judged(lossError(loss, expected), beside, against, 2);
  }
  const examples = small ? layout.examples : Math.min(2, layout.examples);
  const part = hostPart(layout, program.inputs, batch, held, [0, examples]);
  const right = interpret(compiled, part, {});
  const done = await compiled.valueAndGrad(part);
  const off = gradientOff(part, right, done.gradients as Gradients);
  return expected === null
    ? judged(lossError(done.loss, right.loss), off, `${interpreter}, ${examples} examples`)
    : judged(lossError(loss, expected), off, interpreter);
}

type Gradients = Readonly<Record<string, Float32Array | Uint16Array>>;

function gradientOff(batch: Batch, { gradients }: Interpreted, computed: Gradients): number {
  const named = Object.fromEntries(
    gradients.map(({ input, gradient }) => [input.name, gradient] as const),
  );
  const tensors = Object.keys(named).flatMap((name) => {
    const binding = batch.inputs[name]!;
    return binding.height === "logits" ? [binding.tensor] : [];
  });
  const actual: number[] = [];
  const expected: number[] = [];
  for (const [name, given] of Object.entries(computed)) {
    const tensor = tensors.find((one) => one.name === name);
    const right = tensor === undefined ? named[name]!.data : scatterRows(tensor, named, batch);
    const half = tensor?.dtype === "f16" ? "f16" : "bf16";
    for (const value of right) expected.push(value);
    for (const value of given instanceof Uint16Array ? fromHalf(given, half) : given)
      actual.push(value);
  }
  return gradientError(actual, expected);
}
