// Whether a compiled objective computed the right thing on the benchmark's batch, by values that it did not compute itself:
// the loss by the interpreter, and the gradient by the interpreter where there are few logits, else by hand-written kernels.

import type { Batch, Compiled } from "../index.ts";
import { interpret, type Truth as Interpreted } from "../check/compare.ts";
import { acceptedGpuError, gradientError, lossError } from "../check/error.ts";
import { fromHalf, type StorageType } from "../core/storage.ts";
import { scatterRows } from "../reference/tensor.ts";
import { hostPart } from "./data.ts";
import type { Check, Place } from "./provider.ts";

export const interpreter = "interpreter, float64";

/** Logits of a batch on which the interpreter takes the gradient as well. */
const smallEntries = 2 ** 17;
/** Entries of a part of a batch on which the interpreter takes the gradient in some seconds. */
const mostEntries = 2 ** 20;

/** What rounding the largest entry of a gradient to a type may change: half a unit of its last place. */
const rounding: Readonly<Record<StorageType, number>> = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 };

interface Off {
  readonly loss: number;
  readonly lossOff: number;
  readonly gradientOff: number | null;
}

/** Whether results are near enough, and a sentence where they are not. */
export function verdict(
  { loss, lossOff, gradientOff }: Off,
  against: string,
  stored: number,
): Pick<Check, "ok" | "wrong"> {
  const off = (what: string, error: number, most: number): string =>
    `${what} is ${error.toExponential(1)} away from the ${against}, relative to the largest; at most ${most.toExponential(1)} is accepted`;
  const most = acceptedGpuError();
  if (!(lossOff <= most)) return { ok: false, wrong: off(`the loss, ${loss},`, lossOff, most) };
  if (gradientOff !== null && !(gradientOff <= most + stored))
    return { ok: false, wrong: off("the gradient", gradientOff, most + stored) };
  return { ok: true, wrong: null };
}

/** How a loss, and as many gradients as the interpreter can take, agree with it. */
export async function checkOf(
  compiled: Compiled,
  { layout, truth, held, params }: Place,
  batch: Batch,
  loss: number,
): Promise<Check> {
  const { program } = compiled;
  const expected = truth.loss(program, batch, params);
  const judged = (lossOff: number, gradientError: number | null, against: string): Check => ({
    loss,
    lossError: lossOff,
    gradientError,
    against,
    ...verdict({ loss, lossOff, gradientOff: gradientError }, against, rounding[held.dtype]),
  });
  const small = layout.completionRows * layout.vocab <= smallEntries;
  const examples = small ? layout.examples : Math.min(2, layout.examples);
  const entries = (layout.completionRows / layout.examples) * examples * layout.vocab;
  if (expected !== null && entries > mostEntries)
    return judged(lossError(loss, expected), null, interpreter);
  const part = hostPart(layout, program.inputs, batch, held, [0, examples]);
  const right = interpret(compiled, part, params);
  const done = await compiled.valueAndGrad(part, { params });
  const off = gradientOff(part, right, done.gradients as Gradients);
  const few = `${examples} examples`;
  if (expected === null)
    return judged(lossError(done.loss, right.loss), off, `${interpreter}, ${few}`);
  return judged(
    lossError(loss, expected),
    off,
    small ? interpreter : `${interpreter}; gradient: ${few}`,
  );
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
