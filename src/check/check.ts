// Checks one objective on random batches: the derived gradient against central differences, and what a GPU
// computes against the interpreter. Nothing here knows an objective; whatever it reads is brought.

import type { Batch, Params } from "../batch/batch.ts";
import { responsesNeeded } from "../batch/check.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { count } from "../core/build.ts";
import { PrefcError } from "../core/error.ts";
import { topological } from "../core/node.ts";
import type { StorageType } from "../core/storage.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";
import { compile, type Compiled, type CompileOptions } from "../runtime/compiled.ts";
import type { Device } from "../runtime/device/device.ts";
import { cite } from "../core/quote.ts";
import { randomBatch, type BatchSize } from "./batch.ts";
import { branchesOf, type Branches } from "./branches.ts";
import { againstDifferences, againstGpu, interpret, type GpuErrors } from "./compare.ts";
import { acceptedErrors } from "./conditioning.ts";
import { inMode, modes, ordinary, type Mode } from "./modes.ts";
import { batchCode } from "./paste.ts";
import { random, type Random } from "./random.ts";
import { describeValues } from "./values.ts";
import { warningsOf } from "./warnings.ts";

export interface CheckOptions {
  readonly batches: number;
  readonly seed: number;
  readonly params?: Params;
  readonly heights?: NonNullable<CompileOptions["heights"]>;
  /** How logits and their gradients are stored; f32. */
  readonly dtype?: StorageType;
  /** Where to run; null leaves the GPU out. */
  readonly device: Device | null;
  /**
   * What is told at the end. Where it is asked for, further batches are drawn after the others until each branch of the loss
   * was taken both ways, or none helps; those that take a new one are reported as well.
   */
  readonly summary?: (summary: CheckSummary) => void;
}
/** What a check says of an objective as a whole. */
export interface CheckSummary {
  /** A sentence for everything about the objective that is hardly meant. */
  readonly warnings: readonly string[];
  /** What was drawn of each input of the user's own. */
  readonly drawn: readonly string[];
  /** How many branches there are, and a sentence for each side of one that no batch took. */
  readonly branches: number;
  readonly unreached: readonly string[];
}
/** What a batch gave. Errors are as docs/notes/0004-tolerances.md defines them. */
export interface BatchReport {
  readonly batch: number;
  /** What kind of a batch it is. */
  readonly mode: string;
  readonly examples: number;
  readonly tokens: number;
  readonly vocab: number;
  /** Gradient of the interpreter against central differences. */
  readonly differences: number;
  /** GPU against the interpreter; null if it was left out. */
  readonly gpu: GpuErrors | null;
  /** One sentence for everything that was wrong. */
  readonly failures: readonly string[];
  /** Why it was not decided whether anything is wrong: a driver did not answer in time, which is no failure. Else null. */
  readonly undecided: string | null;
  /** Code that makes the batch again; null where nothing is wrong, or where it would be too long to be of use. */
  readonly code: string | null;
}

interface Trial {
  readonly size: BatchSize;
  /** Entries of each input at which differences are taken. */
  readonly moves: number;
}
/** Many small batches, in which differences are cheap; some with rows longer than a workgroup visits in one round. */
const trials: readonly Trial[] = [
  { size: { examples: 3, tokens: 3, vocab: [3, 9] }, moves: 12 },
  { size: { examples: 4, tokens: 6, vocab: [30, 130] }, moves: 4 },
  { size: { examples: 2, tokens: 4, vocab: [10, 40] }, moves: 8 },
  { size: { examples: 5, tokens: 5, vocab: [200, 300] }, moves: 2 },
  { size: { examples: 2, tokens: 2, vocab: [4_097, 5_000] }, moves: 1 },
];

/** Checks an objective, batch by batch. @throws PrefcError for parameters or heights that do not fit */
export async function* checkObjective(
  objective: Objective,
  { batches, seed, params = {}, heights = {}, dtype = "f32", device, summary }: CheckOptions,
): AsyncGenerator<BatchReport> {
  const compiled = compile(objective, { heights, ...(device === null ? {} : { device }) });
  try {
    const { program } = compiled;
    const roots = [program.loss, ...Object.values(program.metrics)];
    checkParams(roots, params, writtenRoots(objective));
    // prompts are read without being declared
    const responses = [...new Set([...objective.responses, ...responsesNeeded(roots)])];
    const branches = branchesOf([program.loss]);
    const known = { ...params, ...stateOf(roots, undefined, writtenRoots(objective)) };
    const { declared } = objective;
    const needs = {
      responses,
      inputs: program.inputs,
      fewestExamples: fewestFor(objective),
      dtype,
      declared,
    };
    const gpu = device !== null;
    for (let index = 0; index < batches; index++) {
      const source = random(seed, index);
      const { size, moves } = trials[index % trials.length]!;
      const batch = randomBatch(needs, size, source);
      if (summary !== undefined) visited(branches, batch, known);
      yield await reportOn(compiled, batch, params, { index, mode: ordinary, moves, source, gpu });
    }
    if (summary === undefined) return;
    let index = batches;
    for (let round = 0; round < furtherBatches && !branches.isComplete(); round++) {
      const mode = modes[round % modes.length]!;
      const source = random(seed, batches + round);
      const { size, moves } = trials[Math.floor(round / modes.length) % 2]!;
      const drawn = randomBatch({ ...needs, signed: mode.signed }, size, source);
      const batch = inMode(drawn, mode, source);
      // a number of either sign may be outside the domain of what reads it, which is no fault of the objective
      if (!visited(branches, batch, known)) continue;
      yield await reportOn(compiled, batch, params, { index: index++, mode, moves, source, gpu });
    }
    summary({
      warnings: warningsOf(objective, program),
      drawn: program.inputs
        .filter(({ datum }) => datum.kind === "example" || datum.kind === "tokens")
        .map(({ name }) => `${cite(name)}: ${describeValues(declared[name])}`),
      branches: branches.count,
      unreached: branches.unreached(),
    });
  } finally {
    compiled.dispose();
  }
}

/** Batches that are drawn at most for the sake of branches. */
const furtherBatches = 36;

/** Notes which branches a batch takes; whether it takes a new one, and is one that the loss is defined on. */
function visited(branches: Branches, batch: Batch, params: Params): boolean {
  try {
    return branches.visit(batch, params);
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return false;
  }
}

/** An objective that counts the examples itself may divide by one less, as a variance does; all others take a single one. */
const fewestFor = ({ loss }: Objective): number =>
  topological([loss]).includes(count("batch")) ? 2 : 1;

interface Trying {
  readonly index: number;
  readonly mode: Mode;
  readonly moves: number;
  readonly source: Random;
  readonly gpu: boolean;
}

async function reportOn(
  compiled: Compiled,
  batch: Batch,
  params: Params,
  { index, mode, moves, source, gpu }: Trying,
): Promise<BatchReport> {
  const tokens = Object.values(batch.responses).reduce((sum, { labels }) => sum + labels.length, 0);
  const shape = {
    batch: index + 1,
    mode: mode.name,
    examples: batch.examples,
    tokens,
    vocab: batch.vocab,
  };
  try {
    const truth = interpret(compiled, batch, params);
    const drawn = againstDifferences(compiled, batch, params, truth, moves, source);
    const computed = gpu ? await againstGpu(compiled, batch, params, truth) : null;
    const accepted = computed === null ? null : acceptedErrors(compiled, batch, params, truth);
    const failures = [
      ...beyond(
        `the derivative of ${drawn.where}`,
        "central differences",
        drawn.error,
        drawn.accepted,
      ),
      ...(["loss", "gradient", "metrics"] as const).flatMap((what) =>
        computed === null || accepted === null
          ? []
          : beyond(`the ${what} on the GPU`, "the interpreter", computed[what], accepted[what]),
      ),
    ];
    const code = failures.length === 0 ? null : batchCode(batch, compiled.program.inputs);
    return { ...shape, differences: drawn.error, gpu: computed, failures, undecided: null, code };
  } catch (error) {
    // what an engine refuses is a failure of this batch, and the next one may tell more
    if (!(error instanceof PrefcError)) throw error;
    const nothing = { ...shape, differences: Infinity, gpu: null };
    if (error.code === "gpu-timeout")
      return { ...nothing, failures: [], undecided: error.message, code: null };
    const code = batchCode(batch, compiled.program.inputs);
    return { ...nothing, failures: [error.message], undecided: null, code };
  }
}

const beyond = (
  what: string,
  against: string,
  error: number,
  accepted: number,
): readonly string[] =>
  error <= accepted
    ? []
    : [
        `${what} is ${error.toExponential(1)} away from ${against}, more than ${accepted.toExponential(0)}`,
      ];
