// Kernels written by hand as a provider: their dispatches on the benchmark's device and buffers, in the same rounds as compiled
// ones, and what they leave held against what prefc computed. Of several plans the fastest is kept.

import { PrefcError } from "../core/error.ts";
import { mention } from "../core/quote.ts";
import { bytesPerEntry } from "../core/storage.ts";
import { lanesOf } from "../measure/ceilings.ts";
import { maker, run, timed, type Dispatch } from "../measure/dispatch.ts";
import { readBuffer } from "../runtime/device/read.ts";
import { finished } from "../runtime/device/wait.ts";
import { dispatchesOf, resourcesOf } from "./handbindings.ts";
import { judge, type Runnable } from "./handcheck.ts";
import { type Handwritten, type KernelPlan, type KernelShape } from "./handwritten.ts";
import { evenLength } from "./layout.ts";
import { completionsOf, elapsed, plain, type Place, type Provider } from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";

const shapeOf = (
  { layout, held, device }: Place,
  subject: Subject,
  cachedReference: boolean,
): KernelShape => {
  const { program } = compileSubject(subject);
  return {
    rows: layout.rows,
    vocab: layout.vocab,
    dtype: held.dtype,
    examples: layout.examples,
    responses: program.responses,
    tokens: evenLength(layout),
    lanes: lanesOf(device),
    cachedReference,
    params: program.params.map(({ name }) => name),
  };
};

async function runnable(
  place: Place,
  subject: Subject,
  where: string,
  plan: KernelPlan,
): Promise<Runnable> {
  const { device, layout } = place;
  const made = maker(device);
  try {
    const resources = resourcesOf(place, subject, plan, made.buffer);
    const all = await dispatchesOf(place, where, plan, resources);
    const of = (directions: readonly string[]): readonly Dispatch[] =>
      all.filter(({ part }) => directions.includes(part));
    const submit = (directions: readonly string[]): Promise<void> =>
      run(
        device,
        of(directions),
        () => undefined,
        () => finished(device, `running ${where}`, { key: `${where} ${directions.join()}` }),
      );
    if (of(["setup"]).length > 0) await submit(["setup"]);
    return {
      plan,
      run: submit,
      gpu: async () => {
        const ms = await timed(device, of(["forward", "backward"]));
        const total = Object.values(ms).reduce((sum, one) => sum + one, 0);
        return { ...ms, full: total };
      },
      losses: async () => {
        if (plan.loss === undefined) return null;
        const left = resources.get(plan.loss.buffer)!.buffer;
        const bytes = await readBuffer(device, left, 0, 4 * layout.examples, `reading ${where}`);
        return new Float32Array(bytes);
      },
      destroy: made.destroy,
    };
  } catch (error) {
    made.destroy();
    throw error;
  }
}

/** The fastest of several, by the best of a few runs; in turns, as other work on the machine may last. */
async function fastest(all: readonly Runnable[], hasClock: boolean): Promise<Runnable> {
  const tried = all.map((made) => ({ made, ms: Infinity }));
  const time = async ({ gpu, run: submit }: Runnable): Promise<number> =>
    hasClock ? (await gpu()).full! : await elapsed(() => submit(["forward", "backward"]));
  for (let i = 0; i < (all.length === 1 ? 0 : 5); i++)
    for (const one of tried) one.ms = Math.min(one.ms, await time(one.made));
  const best = tried.reduce((least, one) => (one.ms < least.ms ? one : least));
  for (const { made } of tried) if (made !== best.made) made.destroy();
  return best.made;
}

/** What the dispatches of a direction move: every buffer of logits once for each dispatch that binds it. */
function movesOf({ held }: Place, plan: KernelPlan): Provider["moves"] {
  const { bytes } = held;
  const of = (direction: string): { read: number; written: number; small: number }[] =>
    plan.dispatches
      .filter((dispatch) => dispatch.direction === direction)
      .map(({ bindings }) => ({
        read: bytes * bindings.filter((name) => /^(policy|ref)_logits$/.test(name)).length,
        written: bindings.includes("policy_gradient") ? bytes : 0,
        small: 0,
      }));
  const [forward, backward] = [of("forward"), of("backward")];
  const both = { full: [...forward, ...backward] };
  return {
    ...both,
    ...(forward.length > 0 ? { forward } : {}),
    ...(backward.length > 0 ? { backward } : {}),
  };
}

/** What is said of a kernel that was asked for and cannot run this shape. */
export const refusal = (where: string, { name }: Subject, why: string): PrefcError =>
  new PrefcError(
    "kernel-refuses",
    `${where} cannot run ${name} at this shape, since ${why.replace(/\.$/, "")}; measure a shape that it can.`,
  );

/**
 * The provider; null where a module says that it cannot run this shape and nobody asked for it by name. `gradient` is what
 * compiled kernels left for the same logits, null where there is none.
 * @throws PrefcError kernel-refuses, kernel-binding, shader-rejected
 */
export async function handwrittenProvider(
  place: Place,
  subject: Subject,
  { name, module, isAsked }: Handwritten & { readonly isAsked: boolean },
  cachedReference: boolean,
  gradient: Float32Array | null,
): Promise<Provider | null> {
  const { device, held } = place;
  const where = `the kernel ${mention(name)}`;
  const plans = module.plans(shapeOf(place, subject, cachedReference));
  if (typeof plans === "string") {
    if (!isAsked) return null;
    throw refusal(where, subject, plans);
  }
  const tried: Runnable[] = [];
  for (const plan of plans) tried.push(await runnable(place, subject, where, plan));
  const own = await fastest(tried, device.features.includes("timestamp-query"));
  const moves = movesOf(place, own.plan);
  const visited = Object.entries(moves).map(([direction, steps]) => [
    direction,
    steps.reduce((sum, { read }) => sum + read, 0) / bytesPerEntry(held.dtype),
  ]);
  return {
    ...plain,
    ...completionsOf(place.layout),
    cachedReference,
    dtype: held.dtype,
    name,
    objective: subject.name,
    moves,
    entries: Object.fromEntries(visited) as Provider["entries"],
    sample: {
      gpu: own.gpu,
      wall: async () => ({
        ...(moves.forward === undefined
          ? {}
          : { forward: await elapsed(() => own.run(["forward"])) }),
        full: await elapsed(async () => {
          await own.run(["forward", "backward"]);
          await own.losses();
        }),
      }),
    },
    check: await judge(place, subject, own, gradient),
    destroy: own.destroy,
  };
}
