// What becomes of one case: checked by the interpreter, run on some paths, and counted. A refusal by the compiler is no mismatch
// if it is one that is known and says what the language of kernels lacks; any other error is.
import { PrefcError } from "../../src/core/error.ts";
import type { Device } from "../../src/index.ts";
import { count, type Coverage } from "./coverage.ts";
import type { Case } from "./case.ts";
import { interpret, programOf } from "./interpretation.ts";
import { compiledOn, describePath, pathsOf, runOn } from "./paths.ts";
import type { Python } from "../../src/python/worker.ts";
import { onTorch } from "./torch.ts";
import { staged } from "./staged.ts";

/** What kernels do not take; the interpreter does. */
export const refusals: readonly string[] = [
  "unsupported-index",
  "gradient-of-at",
  "vocabulary-without-tokens",
  "vocabulary-across-rows",
];

export interface Outcome {
  /** Sentences about everything that disagrees; the case is a counterexample if there is one. */
  readonly found: readonly string[];
  /** The code of the refusal, if the compiler takes no such program. */
  readonly refused: string | null;
  /** The largest error in units of its bound. */
  readonly closeness: number;
}
export interface Trial {
  /** Entries of each input at which differences are taken. */
  readonly entries: number;
  /** Every n-th case is differentiated twice. */
  readonly secondEvery: number;
  /** Paths on which a case runs, and every how many cases; the others run on one. */
  readonly paths: number;
  readonly pathsEvery: number;
  readonly device: Device | null;
  /** What runs emitted files; null to leave PyTorch out. */
  readonly python?: Python | null;
}

const said = (error: unknown): string =>
  error instanceof PrefcError
    ? `${error.code}: ${error.message}`
    : error instanceof Error
      ? `not a PrefcError: ${error.stack ?? error.message}`
      : String(error);

/** Tries one case. */
export async function outcome(one: Case, trial: Trial, coverage: Coverage): Promise<Outcome> {
  const found: string[] = [];
  let closeness = 0;
  try {
    const program = programOf(one);
    const second = one.seed % trial.secondEvery === 0;
    const checked = interpret(one, program, { entries: trial.entries, second });
    found.push(...checked.complaints, ...staged(one, program));
    coverage.add("differences", "compared", checked.compared);
    coverage.add("differences", "rough", checked.rough);
    if (checked.second) coverage.add("differences", "second order");
    if (trial.python !== undefined && trial.python !== null) {
      found.push(...(await onTorch(one, program, trial.python, coverage)));
      return { found, refused: null, closeness };
    }
    const paths = one.seed % trial.pathsEvery === 0 ? trial.paths : 1;
    for (const path of pathsOf(one.seed, paths)) {
      const plan = compiledOn(one, path).plan("valueAndGrad", one.batch.vocab, path.storage);
      coverage.add("path", describePath(path));
      if (trial.device !== null) {
        const compared = await runOn(one, path, trial.device);
        found.push(...compared.complaints, ...trial.device.takeErrors());
        closeness = Math.max(closeness, compared.closeness);
        coverage.add("entries", "compared", compared.entries);
        coverage.add("entries", "unbounded", compared.unbounded);
      }
      count(coverage, one, program, plan);
    }
  } catch (error) {
    if (error instanceof PrefcError && refusals.includes(error.code)) {
      coverage.add("refused", error.code);
      return { found, refused: error.code, closeness };
    }
    found.push(said(error));
  }
  return { found, refused: null, closeness };
}
