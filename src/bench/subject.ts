// What is measured: an objective under the name that tables give it, with the heights and parameters of a command line.

import type { Params } from "../batch/batch.ts";
import { compile, type Compiled, type CompileOptions, type Objective } from "../index.ts";

/** An objective as a command line names it. */
export interface Subject {
  /** What lines and tables call it; no two subjects of a run share a name. */
  readonly name: string;
  readonly objective: Objective;
  readonly heights: NonNullable<CompileOptions["heights"]>;
  /** Run-time parameters; those that are left out have their defaults. */
  readonly params: Params;
}

/** Compiles a subject at its heights, unless others are given. */
export const compileSubject = (
  { objective, heights }: Subject,
  options: CompileOptions = {},
): Compiled => compile(objective, { heights, ...options });
