// Random schedules that are legal on an adapter, and any built-in objective under one of them against the interpreter.
import fc from "fast-check";
import { randomBatch } from "../../src/sample/batch.ts";
import { noSlack } from "../../src/check/kinks.ts";
import { againstGpu, interpret } from "../../src/check/compare.ts";
import { acceptedErrors } from "../../src/check/conditioning.ts";
import { random } from "../../src/sample/random.ts";
import { responsesNeeded } from "../../src/batch/check.ts";
import {
  compile,
  type Device,
  type Objective,
  type ScheduleOptions,
  type StorageType,
} from "../../src/index.ts";

const power = (most: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: Math.log2(most) }).map((n) => 2 ** n);
/** More lanes than this make a software adapter slow, and no other path is taken for them. */
const mostLanes = 64;
const rowOptions = {
  rowLanes: power(mostLanes),
  vector: fc.constantFrom(1 as const, 4 as const),
  unroll: fc.integer({ min: 1, max: 6 }),
  split: fc.integer({ min: 1, max: 9 }),
  groupRows: power(4),
};

/** Any options that every adapter of these tests can have; all of them are left out at times. */
export const schedules: fc.Arbitrary<ScheduleOptions> = fc
  .record(
    {
      ...rowOptions,
      gradient: fc.record(rowOptions, { requiredKeys: [] }),
      programLanes: power(mostLanes),
      shareMaxima: fc.boolean(),
      // lanes that are a subgroup are combined as one unless it is asked for otherwise
      combine: fc.constant("shared" as const),
      // longer ones take minutes to compile on an adapter that is slow at it
      blockLength: fc.constantFrom(1, 6),
    },
    { requiredKeys: [] },
  )
  .chain((own) =>
    power(own.programLanes ?? 16).map((tokenLanes) =>
      own.programLanes === undefined ? own : { ...own, tokenLanes },
    ),
  );

/** Small vocabularies, and one whose rows have blocks for every part. */
const sizes = [
  { examples: 3, tokens: 3, vocab: [3, 40] },
  { examples: 2, tokens: 2, vocab: [300, 500] },
] as const;

export interface Case {
  readonly objective: Objective;
  readonly schedule: ScheduleOptions;
  readonly isWide: boolean;
  readonly dtype: StorageType;
  readonly seed: number;
}

/** What is wrong with an objective under a schedule, on a random batch of whatever it reads; nothing, if all is well. */
export async function mistakesOf(device: Device, given: Case): Promise<readonly string[]> {
  const { objective, schedule, isWide, dtype, seed } = given;
  // a driver takes seconds for the row program of every metric
  const compiled = compile(objective, { device, schedule, metrics: false });
  try {
    const { program } = compiled;
    const roots = [program.loss, ...Object.values(program.metrics)];
    const responses = [...new Set([...objective.responses, ...responsesNeeded(roots)])];
    // two examples, as some objectives take a variance
    const { inputs, declared } = program;
    const needs = { responses, inputs, declared, fewestExamples: 2, dtype };
    const batch = randomBatch(needs, sizes[isWide ? 1 : 0], random(seed, 0));
    const truth = interpret(compiled, batch, {});
    const errors = await againstGpu(compiled, batch, {}, truth, noSlack);
    const accepted = acceptedErrors(compiled, batch, {}, truth);
    return (["loss", "gradient", "metrics"] as const).flatMap((what) =>
      errors[what] <= accepted[what]
        ? []
        : [`the ${what} is off by ${errors[what]}, and may be by ${accepted[what]}`],
    );
  } finally {
    compiled.dispose();
  }
}
