// Checks one objective on random batches: the derived gradient against central differences, and what a GPU
// computes against the interpreter. Nothing here knows an objective; whatever it reads is brought.

import type { Batch, Params } from "../batch/batch.ts";
import { inOrder, responsesNeeded } from "../batch/check.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { PrefcError } from "../core/error.ts";
import type { StorageType } from "../core/storage.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";
import { compile, type CompileOptions } from "../compile/compile.ts";
import type { Device } from "../runtime/device/device.ts";
import { cite } from "../core/quote.ts";
import { fewestFor, randomBatch, type BatchSize } from "../sample/batch.ts";
import { branchesOf, type Branches } from "./branches.ts";
import { inMode, modes, ordinary, start } from "../sample/modes.ts";
import { hasStart } from "../kinks/start.ts";
import { random } from "../sample/random.ts";
import { reportOn, type BatchReport } from "./report.ts";
import { describeValues } from "../sample/values.ts";
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

/**
 * Checks an objective, batch by batch: the random ones, then one of the first step, where every other model is the policy.
 * @throws PrefcError for parameters or heights that do not fit
 */
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
    const responses = inOrder([...objective.responses, ...responsesNeeded(roots)]);
    const branches = branchesOf([program.loss]);
    const known = { ...params, ...stateOf(roots, undefined, writtenRoots(objective)) };
    const { declared } = objective;
    const needs = {
      responses,
      inputs: program.inputs,
      fewestExamples: fewestFor(objective.loss),
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
    let index = batches;
    if (hasStart(program)) {
      const source = random(seed, firstStep);
      const { size, moves } = trials[0]!;
      const beside = randomBatch(needs, size, source);
      const batch = inMode(beside, start, source);
      if (summary !== undefined) visited(branches, batch, known);
      yield await reportOn(compiled, batch, params, {
        beside,
        index: index++,
        mode: start,
        moves,
        source,
        gpu,
      });
    }
    if (summary === undefined) return;
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

/** The stream of random numbers that the batch of the first step is drawn from. */
const firstStep = 0xf1457;
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
