// Whether kernels written by hand computed the right thing: their loss against the interpreter, their gradient against the one
// that compiled kernels left for the same logits, and in words which entry is furthest off.

import { gradientError, lossError } from "../check/error.ts";
import { finished } from "../runtime/device/wait.ts";
import { interpreter, verdict } from "./check.ts";
import { batchOf } from "./data.ts";
import type { KernelPlan } from "./handwritten.ts";
import type { Direction } from "./options.ts";
import { gradientLeft, type Check, type Place, type Sample } from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";

/** One way to run the kernels, ready. */
export interface Runnable {
  readonly plan: KernelPlan;
  readonly gpu: () => Promise<Sample>;
  readonly run: (directions: readonly Direction[]) => Promise<void>;
  /** The numbers that make up the loss. */
  readonly losses: () => Promise<Float32Array | null>;
  readonly destroy: () => void;
}

/** What is in the gradient before kernels write it: no number, so that entries that are left out are seen. */
async function spoil({ device, held }: Place): Promise<void> {
  const words = new Uint32Array(Math.min(2 ** 22, Math.ceil(held.bytes / 4))).fill(0xffffffff);
  for (let from = 0; from < held.bytes; from += words.byteLength) {
    const length = Math.min(words.length, Math.ceil((held.bytes - from) / 4));
    device.gpu.queue.writeBuffer(held.gradient, from, words, 0, length);
  }
  await finished(device, "clearing a gradient");
}

/** The entry that is furthest off, in words. */
function furthest(left: Float32Array, right: Float32Array, vocab: number): string {
  let [place, most] = [0, -1];
  for (let at = 0; at < right.length; at++) {
    const off = Number.isNaN(left[at]!) ? Infinity : Math.abs(left[at]! - right[at]!);
    if (off > most) [place, most] = [at, off];
  }
  const where = `policy_gradient at row ${Math.floor(place / vocab)}, entry ${place % vocab}`;
  return Number.isNaN(left[place]!)
    ? `${where} was not written, or is no number (prefc has ${right[place]})`
    : `${where} is ${left[place]}, where prefc has ${right[place]}`;
}

/** What rounding to a 16-bit type may change in two gradients. */
const stored = { f32: 0, f16: 2 ** -10, bf16: 2 ** -7 } as const;

/** Runs kernels once and judges what they leave; `gradient` is that of compiled ones, null where there is none. */
export async function judge(
  place: Place,
  subject: Subject,
  own: Runnable,
  gradient: Float32Array | null,
): Promise<Check> {
  const { device, layout, held, truth, params } = place;
  const writesGradient = own.plan.dispatches.some(({ bindings }) =>
    bindings.includes("policy_gradient"),
  );
  if (writesGradient) await spoil(place);
  await own.run(["forward", "backward"]);
  const losses = await own.losses();
  const total = losses?.reduce((sum, value) => sum + value, 0) ?? null;
  const loss = total === null || own.plan.loss?.combine === "sum" ? total : total / layout.examples;
  const { program } = compileSubject(subject);
  const expected = truth.loss(program, batchOf(layout, program, held), params);
  const lossOff = loss === null || expected === null ? null : lossError(loss, expected);
  const compared = writesGradient && gradient !== null;
  const left = compared ? await gradientLeft(device, held) : null;
  const gradientOff = left === null ? null : gradientError(left, gradient!);
  const against = [
    ...(lossOff === null ? [] : [interpreter]),
    ...(gradientOff === null ? [] : ["gradient: compiled"]),
  ].join("; ");
  const said = verdict(
    { loss: loss ?? 0, lossOff: lossOff ?? 0, gradientOff },
    against,
    stored[held.dtype],
  );
  const wrong =
    said.ok || left === null || (lossOff ?? 0) > (gradientOff ?? 0)
      ? said.wrong
      : furthest(left, gradient!, layout.vocab);
  return {
    loss,
    lossError: lossOff,
    gradientError: gradientOff,
    against: against === "" ? null : against,
    ok: said.ok,
    wrong,
  };
}
