// What a long-lived process does over and over: compile, run and dispose of an objective on one device; and open a device, run
// on it, lose it or not, and dispose of it. Every result is held against the first of the same work, bit for bit.
import { createHash } from "node:crypto";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import {
  builtIn,
  compile,
  constant,
  objective,
  openDevice,
  type Batch,
  type Compiled,
  type Device,
  type Objective,
  type ValueAndGrad,
} from "../../src/index.ts";

const names = ["dpo", "wpo", "ipo", "orpo", "tdpo2", "sft"] as const;

/** Batches that each objective is run on, one after the other. */
const batches = 3;

/** Long enough for a machine that has other things to do: this is no measure of speed. */
const timeoutMs = 900_000;

/** A formula that was never compiled before, so that whatever is kept for a formula adds up. */
const fresh = (number: number): Objective =>
  objective(
    "fresh",
    ["w", "l"],
    ({ policy, y }) =>
      policy
        .logps(y.l)
        .minus(policy.logps(y.w))
        .times(constant(1 + number / 1024)),
    { source: "made for this run" },
  );

/** A digest of every bit of a result. */
export function digest({ loss, metrics, perExample, gradients }: ValueAndGrad): string {
  const hash = createHash("sha256");
  hash.update(Float64Array.from([loss, ...Object.values(metrics), ...(perExample ?? [])]));
  for (const [name, data] of Object.entries(gradients)) {
    hash.update(name);
    hash.update(data as Float32Array);
  }
  return hash.digest("hex");
}

/** Remembers the first result of each work. @throws Error when a later one differs */
export function remembering(): (work: string, result: string) => void {
  const known = new Map<string, string>();
  return (work, result) => {
    const first = known.get(work) ?? result;
    known.set(work, first);
    if (first !== result) throw new Error(`${work} gave another result than the first time.`);
  };
}

const batchFor = ({ program }: Compiled, seed: number): Batch =>
  randomBatch(
    { ...program, fewestExamples: 2 },
    { examples: 4, tokens: 6, vocab: [5, 300] },
    random(seed, 0),
  );

type Check = (work: string, result: string) => void;

async function ranOn(compiled: Compiled, seed: number): Promise<string> {
  return digest(
    await compiled.valueAndGrad(batchFor(compiled, seed), { perExample: true, timeoutMs }),
  );
}

/** Compiles, runs and disposes of one objective; every tenth cycle, of a formula that is new. */
export async function compileCycle(device: Device, number: number, check: Check): Promise<void> {
  const isNew = number % 10 === 9;
  const name = names[number % names.length]!;
  const compiled = compile(isNew ? fresh(number) : builtIn(name), { device });
  try {
    const seed = Math.floor(number / names.length) % batches;
    const result = await ranOn(compiled, seed);
    if (!isNew) check(`${name} on batch ${seed}`, result);
  } finally {
    compiled.dispose();
  }
  const { bytes } = compiled.memory();
  if (bytes > 0) throw new Error(`cycle ${number} of ${name} left ${bytes} bytes on the device.`);
}

/** Opens a device and runs on it; every second cycle, the device is lost while it runs. */
export async function deviceCycle(adapter: string, number: number, check: Check): Promise<void> {
  const device = await openDevice({ adapter, timeoutMs });
  const compiled = compile(builtIn("sft"), { device });
  try {
    const running = ranOn(compiled, 0);
    if (number % 2 === 1) {
      await new Promise((resolve) => setTimeout(resolve, number % 7));
      device.gpu.destroy();
    }
    check("sft on a device of its own", await running);
  } finally {
    compiled.dispose();
    device.dispose();
  }
}
