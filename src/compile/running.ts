// A run of a compiled objective: everything that is given is checked against the program, a plan is chosen that fits the batch,
// and the runtime runs it.

import type { Batch } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { isGpuBuffer, vocabOf } from "../batch/logits.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";
import type { Program } from "../pipeline/pipeline.ts";
import { checkDivisors, knownDivisors } from "../reference/divisors.ts";
import { timeoutOf } from "../runtime/device/deadline.ts";
import { execute } from "../runtime/run/execute.ts";
import { refuseBadLogits, refuseGradient } from "../runtime/run/faults.ts";
import type { Executed, Request } from "../runtime/run/run.ts";
import type { Runs } from "../runtime/run/runs.ts";
import { storageTypesOf, tensorsOf } from "../runtime/run/stored.ts";
import { isInPlace } from "../runtime/run/targets.ts";
import { endsInWholeVectors } from "../runtime/run/vectors.ts";
import type { ScheduleOptions } from "../schedule/schedule.ts";
import type { GradientOptions, Value } from "./api.ts";
import { countsOf } from "./combined.ts";
import { checkCounts, checkInto } from "./fits.ts";
import { checkRun } from "./options.ts";
import type { Direction, Plans } from "./plans.ts";

/** What a run works with. */
export interface Subject {
  readonly objective: Objective;
  readonly program: Program;
  readonly plans: Plans;
  /** Runs on the device; null when the objective was compiled without one. */
  readonly runs: Runs | null;
  readonly schedule: ScheduleOptions | undefined;
}
export type Run = <T>(
  direction: Direction,
  batch: Batch,
  options: GradientOptions,
  finish: (program: Program, done: Executed, counts: Value["counts"]) => T,
) => Promise<T>;

export function runner({ objective, program, plans, runs, schedule }: Subject): Run {
  const roots = [program.loss, ...Object.values(program.metrics), ...Object.values(program.next)];
  const written = writtenRoots(objective);
  const divisors = knownDivisors(roots);
  const layoutKey = JSON.stringify(schedule ?? {});
  return async (direction, batch, options, finish) => {
    checkRun(direction, program, options);
    const { params = {}, state, locate = false, timeoutMs, ...rest } = options;
    if (runs === null) {
      return fail(
        "no-device",
        `${cite(objective.name)} was compiled without a device; compile(objective, { device: await openDevice() }) to run it.`,
      );
    }
    runs.refuseDisposed();
    checkParams(roots, params, written);
    const scalars = { ...params, ...stateOf(roots, state, written) };
    checkBatch(batch, roots, direction);
    checkDivisors(divisors, batch, scalars);
    const { into = {}, gradients = "read", perExample = false, profile = false } = rest;
    const differentiated = program.gradients.map(({ input }) => input);
    checkInto(into, batch, differentiated);
    const tensors = tensorsOf(batch, program.inputs);
    const storage = storageTypesOf(tensors);
    checkCounts(program[direction], batch, program.inputs);
    const keep = gradients === "keep";
    // another schedule takes another time, and its first run is slow again
    const key = `${objective.name} ${direction} ${layoutKey}`;
    timeoutOf(timeoutMs);
    const { plan } = plans.forBatch(direction, {
      vocab: batch.vocab,
      rows: program.responses.reduce(
        (sum, response) => sum + (batch.responses[response]?.labels.length ?? 0),
        0,
      ),
      storage,
      widths: tensors.map(({ tensor }) => vocabOf(tensor, batch)),
      wholeVectors: endsInWholeVectors(batch, into),
      inPlace: tensors.some(({ tensor }) => isInPlace(tensor, into)),
      withEach: perExample,
    });
    const wait = timeoutMs === undefined ? { key } : { key, timeoutMs };
    const request: Request = {
      plan,
      batch,
      params: scalars,
      into,
      keep,
      perExample,
      wait,
      profile,
    };
    return await runs.run({
      portable:
        !keep &&
        Object.keys(into).length === 0 &&
        !tensors.some(({ tensor }) => isGpuBuffer(tensor.data)),
      execute: (on, held, turn) => execute(request, on, held, turn),
      finish: async (on, done) => {
        await refuseBadLogits(on, request, done, locate);
        const results = finish(program, done, countsOf(program, batch, scalars));
        refuseGradient(on, request, done, objective.name);
        return results;
      },
    });
  };
}
