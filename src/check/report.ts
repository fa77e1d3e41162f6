// One batch of a check: the derived gradient against differences, a GPU against the interpreter, and the sentences for what is
// wrong. What an engine refuses is a failure of the batch, and a driver that did not answer in time is none.

import type { Batch, Params } from "../batch/batch.ts";
import { PrefcError } from "../core/error.ts";
import type { ToldKink } from "../kinks/told.ts";
import type { Compiled } from "../compile/compile.ts";
import type { Mode } from "../sample/modes.ts";
import type { Random } from "../sample/random.ts";
import { againstDifferences, againstGpu, interpret, type GpuErrors } from "./compare.ts";
import { acceptedErrors } from "./conditioning.ts";
import { acceptedGpuError, differencesTolerance, relativeTo } from "./error.ts";
import { atKinks } from "./kinks.ts";
import { batchCode } from "./paste.ts";

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
  /** The kinks of the loss that the batch lies on: which slope is taken there, and what others would take. */
  readonly kinks: readonly ToldKink[];
  /** Whether the GPU took the other side of a kink whose argument is rounding noise, which is no failure. */
  readonly turned: boolean;
  /** Why it was not decided whether anything is wrong: a driver did not answer in time, which is no failure. Else null. */
  readonly undecided: string | null;
  /** Code that makes the batch again; null where nothing is wrong, or where it would be too long to be of use. */
  readonly code: string | null;
}

export interface Trying {
  readonly index: number;
  readonly mode: Mode;
  readonly moves: number;
  readonly source: Random;
  readonly gpu: boolean;
  /**
   * A batch of the same size whose loss and gradient errors are measured against, where they are larger than this batch's
   * own: at the first step a divergence and its gradient are 0.
   */
  readonly beside?: Batch | undefined;
}

/** What one batch gives. */
export async function reportOn(
  compiled: Compiled,
  batch: Batch,
  params: Params,
  { index, mode, moves, source, gpu, beside }: Trying,
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
    const at = atKinks(compiled.program.loss, batch, params);
    const drawn = againstDifferences(compiled, batch, params, truth, at, moves, source);
    const run = gpu ? await againstGpu(compiled, batch, params, truth, at.slack) : null;
    const scale = beside === undefined ? null : scaleOf(compiled, beside, params);
    const sizes = { loss: Math.abs(truth.loss), gradient: truth.largest };
    const measured = (what: "loss" | "gradient", error: number): number =>
      scale === null ? error : relativeTo(scale[what], sizes[what], error);
    const scaled = ({ loss, gradient, metrics }: GpuErrors): GpuErrors => ({
      loss: measured("loss", loss),
      gradient: measured("gradient", gradient),
      metrics,
    });
    const errors = run === null ? null : scaled(run);
    const known =
      run === null ? null : scaled(acceptedErrors(compiled, batch, params, truth, at.frozen));
    const limit = (what: keyof GpuErrors): number => Math.max(acceptedGpuError(), known![what]);
    // an engine that takes the other side of a kink which rounding decides is not to blame
    const turns = (what: "loss" | "gradient"): boolean =>
      errors !== null &&
      errors[what] > limit(what) &&
      measured(what, run!.either[what]) <= limit(what);
    const isTurned = { loss: turns("loss"), gradient: turns("gradient"), metrics: false };
    const differences = measured("gradient", drawn.error);
    const failures = [
      ...beyond(
        `the derivative of ${drawn.where}`,
        "central differences",
        differences,
        Math.max(differencesTolerance, measured("gradient", drawn.accepted)),
      ),
      ...(["loss", "gradient", "metrics"] as const).flatMap((what) =>
        errors === null || isTurned[what]
          ? []
          : beyond(`the ${what} on the GPU`, "the interpreter", errors[what], limit(what)),
      ),
    ];
    const code = failures.length === 0 ? null : batchCode(batch, compiled.program.inputs);
    const turned = isTurned.loss || isTurned.gradient;
    return {
      ...shape,
      differences,
      gpu: errors,
      failures,
      kinks: at.kinks,
      turned,
      undecided: null,
      code,
    };
  } catch (error) {
    // what an engine refuses is a failure of this batch, and the next one may tell more
    if (!(error instanceof PrefcError)) throw error;
    const nothing = { ...shape, differences: Infinity, gpu: null, kinks: [], turned: false };
    if (error.code === "gpu-timeout")
      return { ...nothing, failures: [], undecided: error.message, code: null };
    const code = batchCode(batch, compiled.program.inputs);
    return { ...nothing, failures: [error.message], undecided: null, code };
  }
}

/** The sizes of the loss and of its largest slope on a batch; 0 where it is not defined there. */
function scaleOf(
  compiled: Compiled,
  batch: Batch,
  params: Params,
): { readonly loss: number; readonly gradient: number } {
  try {
    const { loss, largest } = interpret(compiled, batch, params);
    return { loss: Math.abs(loss), gradient: largest };
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return { loss: 0, gradient: 0 };
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
