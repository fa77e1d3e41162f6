// The ways in which a case is compiled and run: fused or a pass for each field, under two schedules, logits in f32 or in 16
// bits. A run on one path is compared with the interpreter on the very numbers that are stored.
import type { Batch, Binding, LogitsTensor } from "../../src/batch/batch.ts";
import { numbersIn } from "../../src/batch/logits.ts";
import { random as randomOf } from "../../src/sample/random.ts";
import { fromHalf, toHalf, type StorageType } from "../../src/core/storage.ts";
import { compile, type CompileOptions, type Compiled, type Device } from "../../src/index.ts";
import { runPlan } from "../host/plan.ts";
import { objectiveOf, type Case } from "./case.ts";
import { compare, computed, expected, type Comparison } from "./results.ts";
import { pick } from "./scene.ts";

/** A busy machine may leave a search little of the processor; only what never ends is a mistake. */
const longest = 1_800_000;

export interface Path {
  readonly fusion: boolean;
  /** "chosen" by the compiler for the adapter, or "drawn" at random. */
  readonly schedule: "chosen" | "drawn";
  readonly storage: StorageType;
}

export const describePath = ({ fusion, schedule, storage }: Path): string =>
  `${fusion ? "fused" : "unfused"}, ${schedule} schedule, ${storage}`;

const mixed = (seed: number): number => randomOf(seed, 98).integer(0, 1_000_000);

/** How every case is run. */
const plain: Path = { fusion: true, schedule: "chosen", storage: "f32" };
/** With it, four paths in which every pair of choices meets. */
const others: readonly Path[] = [
  { fusion: false, schedule: "drawn", storage: "f32" },
  { fusion: true, schedule: "drawn", storage: "bf16" },
  { fusion: false, schedule: "chosen", storage: "bf16" },
];
export const allPaths: number = 1 + others.length;

/** The first `count` paths of a case; half precision takes the place of bfloat16 for every other case. */
export const pathsOf = (seed: number, count: number): readonly Path[] => [
  plain,
  ...Array.from({ length: count - 1 }, (_, n) => {
    // cases of which a sample is taken have seeds apart by the same number, which must not be seen in the choice
    const [turn, half] = [mixed(seed) % others.length, mixed(seed + 1) % 2 === 0];
    const path = others[(turn + n) % others.length]!;
    return path.storage === "bf16" && half ? { ...path, storage: "f16" as const } : path;
  }),
];

/** A schedule from the seed of a case, small enough for every adapter. */
export function drawnSchedule(seed: number): NonNullable<CompileOptions["schedule"]> {
  const random = randomOf(seed, 99);
  const programLanes = pick(random, [1, 4, 16, 32]);
  return {
    rowLanes: pick(random, [1, 4, 8, 16, 32, 64]),
    groupRows: pick(random, [1, 1, 2, 4]),
    vector: pick(random, [1, 4] as const),
    unroll: pick(random, [1, 2, 3, 4]),
    programLanes,
    tokenLanes: pick(
      random,
      [1, 2, 4].filter((lanes) => lanes <= programLanes),
    ),
  };
}

/** The batch with its logits stored in another type. */
export function storedAs(batch: Batch, dtype: StorageType): Batch {
  if (dtype === "f32") return batch;
  const made = new Map<LogitsTensor, LogitsTensor>();
  const stored = (tensor: LogitsTensor): LogitsTensor => {
    const known = made.get(tensor) ?? {
      ...tensor,
      dtype,
      data: toHalf(numbersIn(tensor)!, dtype),
    };
    made.set(tensor, known);
    return known;
  };
  return {
    ...batch,
    inputs: Object.fromEntries(
      Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => [
        name,
        binding.height === "logits" ? { ...binding, tensor: stored(binding.tensor) } : binding,
      ]),
    ),
  };
}

/** What a 16-bit type loses of a number that is rounded to it. */
const lost = (value: number, storage: StorageType): number =>
  storage === "f32"
    ? 0
    : storage === "bf16"
      ? 2 ** -8 * Math.abs(value)
      : Math.max(2 ** -11 * Math.abs(value), 2 ** -25);

/** The names of all paths. */
export const pathNames: readonly string[] = [plain, ...others].flatMap((path) =>
  path.storage === "bf16"
    ? [describePath(path), describePath({ ...path, storage: "f16" })]
    : [describePath(path)],
);

export const compiledOn = (one: Case, path: Path, device?: Device): Compiled =>
  compile(objectiveOf(one), {
    heights: one.heights,
    fusion: path.fusion,
    ...(device === undefined ? {} : { device }),
    ...(path.schedule === "drawn" ? { schedule: drawnSchedule(one.seed) } : {}),
  });

/** What a path may leave of a case: the interpreter's numbers, with what the type of the logits loses. */
function allowed({ params, state }: Case, path: Path, { program }: Compiled, batch: Batch) {
  const exact = expected(program, batch, { ...params, ...state });
  return new Map(
    [...exact].map(([name, { values, bounds }]) => {
      const isStored = name.startsWith("gradient ") && !(name.slice(9) in batch.inputs);
      const wider = Array.from(values, (value, n) =>
        isStored ? bounds[n]! + lost(Math.abs(value) + bounds[n]!, path.storage) : bounds[n]!,
      );
      return [name, { values, bounds: wider }];
    }),
  );
}

/** Numbers of a stored type. */
const numbersOf = <T>(data: T, { storage }: Path): T | Float32Array<ArrayBuffer> =>
  data instanceof Uint16Array && storage !== "f32" ? fromHalf(data, storage) : data;

/** Runs a case on one path. @throws PrefcError what the compiler refuses */
export async function runOn(one: Case, path: Path, device: Device): Promise<Comparison> {
  const compiled = compiledOn(one, path, device);
  try {
    const batch = storedAs(one.batch, path.storage);
    const right = allowed(one, path, compiled, batch);
    const run = await compiled.valueAndGrad(batch, {
      params: one.params,
      ...(Object.keys(one.state).length === 0 ? {} : { state: one.state }),
      perExample: true,
      timeoutMs: longest,
    });
    const gradients = Object.fromEntries(
      Object.entries(run.gradients).map(([name, data]) => [name, numbersOf(data, path)]),
    );
    return compare(right, computed({ ...run, gradients }), describePath(path));
  } finally {
    compiled.dispose();
  }
}

/** Runs a case on one path without a device. @throws PrefcError what the compiler refuses */
export function runOnHost(one: Case, path: Path): Comparison {
  const compiled = compiledOn(one, path);
  const batch = storedAs(one.batch, path.storage);
  const plan = compiled.plan("valueAndGrad", batch.vocab, path.storage);
  const params = { ...one.params, ...one.state };
  const { results } = runPlan(compiled.program, plan, batch, { params, subgroupSize: 32 });
  const given = [...results].map(([name, data]) => [name, numbersOf(data, path)] as const);
  const right = allowed(one, path, compiled, batch);
  return compare(right, new Map(given), `on the host, ${describePath(path)}`);
}
