// `compile`: the list of passes (src/pipeline), what explains it, and runs of what it made (src/runtime). Compiling is pure and
// needs no GPU; pipelines of a device are made on the first run on it and kept.

import type { Objective } from "../dsl/objective.ts";
import { explain } from "../explain/json.ts";
import { exactShape } from "../explain/shape.ts";
import { compileProgram } from "../pipeline/pipeline.ts";
import { runsOn } from "../runtime/run/runs.ts";
import { statisticsOf } from "../seam/trainers.ts";
import type { CompileOptions, Compiled } from "./api.ts";
import { combinedOf } from "./combined.ts";
import { checkCompile, checkPlanned } from "./options.ts";
import { plansOf } from "./plans.ts";
import { valueAndGradOf, valueOf } from "./results.ts";
import { runner } from "./running.ts";

/** Compiles an objective. Changing a parameter later compiles nothing. @throws PrefcError input-too-high, unknown-height */
export function compile(objective: Objective, options: CompileOptions = {}): Compiled {
  checkCompile(objective, options);
  const { device, schedule } = options;
  const program = compileProgram(objective, options);
  const plans = plansOf(objective, program, device, schedule);
  const runs = device === undefined ? null : runsOn(device, objective.name);
  const run = runner({ objective, program, plans, runs, schedule });
  return {
    objective,
    program,
    plan: (direction, vocab, dtype, rows) => {
      checkPlanned(direction, vocab, dtype, rows);
      return plans.plain(direction, vocab, dtype, rows).plan;
    },
    wgsl: (vocab = 32_000, dtype) => {
      checkPlanned("valueAndGrad", vocab, dtype);
      const { steps } = plans.plain("valueAndGrad", vocab, dtype).plan;
      return steps.map(({ kernel, wgsl }) => ({ name: kernel.name, wgsl }));
    },
    explain: (shape = {}) => {
      const { vocab, dtype, totalRows: rows } = exactShape(shape, program.responses);
      const planned = {
        value: plans.plain("value", vocab, dtype, rows),
        valueAndGrad: plans.plain("valueAndGrad", vocab, dtype, rows),
      };
      const chosen = plans.chosen({ vocab, rows, dtype });
      const problem = device?.tuning.problem ?? null;
      const adapter = device?.line ?? null;
      return explain({ program, plans: planned, adapter, ...chosen, problem }, shape);
    },
    statistics: () => statisticsOf(objective),
    value: (batch, runOptions = {}) => run("value", batch, runOptions, valueOf),
    valueAndGrad: (batch, runOptions = {}) =>
      run("valueAndGrad", batch, runOptions, valueAndGradOf),
    combined: (parts) => combinedOf(program, parts),
    memory: () => runs?.memory() ?? { buffersCreated: 0, bytes: 0 },
    dispose: () => runs?.dispose(),
  };
}

export type {
  CompileOptions,
  Compiled,
  GradientOptions,
  Gradients,
  KernelText,
  RunOptions,
  Value,
  ValueAndGrad,
} from "./api.ts";
