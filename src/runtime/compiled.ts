// The compiled objective: what a user holds. Compiling is pure and needs no GPU; pipelines are made on the
// first run on a device and kept.

import type { Batch } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { isGpuBuffer, vocabOf } from "../batch/logits.ts";
import { haveOneWidth } from "../batch/widths.ts";
import { withConstants } from "../compile/constants.ts";
import { compileProgram, type Lowered, type Program } from "../compile/pipeline.ts";
import { fail } from "../core/error.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input } from "../core/node.ts";
import type { StorageType } from "../core/storage.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";
import { explain } from "../explain/json.ts";
import { exactShape } from "../explain/shape.ts";
import { forWidths, singleEntries, type Schedule } from "../schedule/schedule.ts";
import type { Layout } from "../kernel/storage.ts";
import { plan, type Plan } from "../plan/plan.ts";
import { checkDivisors, knownDivisors } from "../reference/divisors.ts";
import type { CompileOptions, Compiled, GradientOptions, Value } from "./api.ts";
import { combinedOf, countsOf } from "./combined.ts";
import { valueAndGradOf, valueOf } from "./run/results.ts";
import { timeoutOf } from "./device/deadline.ts";
import { tunedOn } from "./device/traits.ts";
import { checkCompile, checkPlanned, checkRun } from "./options.ts";
import { execute } from "./run/execute.ts";
import type { Executed, Request } from "./run/run.ts";
import { refuseBadLogits, refuseGradient } from "./run/faults.ts";
import { runsOn } from "./run/runs.ts";
import { scheduler } from "../schedule/choose.ts";
import { modelsRead, storageTypesOf, tensorsOf } from "./run/stored.ts";
import { isInPlace } from "./run/targets.ts";
import { endsInWholeVectors } from "./run/vectors.ts";
import { statisticsOf } from "../seam/trainers.ts";
import { cite } from "../core/quote.ts";

/** Compiles an objective. Changing a parameter later compiles nothing. @throws PrefcError input-too-high, unknown-height */
export function compile(objective: Objective, options: CompileOptions = {}): Compiled {
  checkCompile(objective, options);
  const { device } = options;
  const program = compileProgram(objective, options);
  const runs = device === undefined ? null : runsOn(device, objective.name);
  const roots = [program.loss, ...Object.values(program.metrics), ...Object.values(program.next)];
  const written = writtenRoots(objective);
  const divisors = knownDivisors(roots);
  const plans = new Map<string, Plan>();
  const logitsModels = program.inputs.flatMap(({ datum }) =>
    datum.kind === "logits" ? [datum.model] : [],
  );
  const scheduleFor = scheduler(tunedOn(device), options.schedule);
  const layoutKey = JSON.stringify(options.schedule ?? {});
  const planFor = (
    direction: "value" | "valueAndGrad",
    schedule: Schedule,
    storage: Layout["storage"],
    inPlace: boolean = false,
    withEach: boolean = false,
  ): Plan => {
    const layout: Layout = { ...schedule, storage };
    const key = JSON.stringify([direction, layout, inPlace, withEach]);
    const known = plans.get(key);
    if (known !== undefined) return known;
    const made = withConstants(objective.name, written, () =>
      plan(
        withEach ? program.withEach(direction) : program[direction],
        { responses: program.responses, inputs: program.inputs, params: program.params },
        layout,
        inPlace,
      ),
    );
    plans.set(key, made);
    return made;
  };
  const plain = (
    direction: "value" | "valueAndGrad",
    vocab: number,
    dtype: StorageType = "f32",
    rows: number = Infinity,
  ): Plan => {
    checkPlanned(direction, vocab, dtype, rows);
    const { schedule } = scheduleFor({ vocab, rows, dtype });
    return planFor(
      direction,
      schedule,
      Object.fromEntries(modelsRead(logitsModels).map((model) => [model, dtype])),
    );
  };

  const run = async <T>(
    direction: "value" | "valueAndGrad",
    batch: Batch,
    options: GradientOptions,
    finish: (program: Program, done: Executed, counts: Value["counts"]) => T,
  ): Promise<T> => {
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
    const inPlace = tensors.some(({ tensor }) => isInPlace(tensor, into));
    const rows = program.responses.reduce(
      (sum, response) => sum + (batch.responses[response]?.labels.length ?? 0),
      0,
    );
    const storage = storageTypesOf(tensors);
    const usual = scheduleFor({ vocab: batch.vocab, rows, dtype: storage["policy"]! }).schedule;
    checkCounts(program[direction], batch, program.inputs);
    const widths = tensors.map(({ tensor }) => vocabOf(tensor, batch));
    const fitting = forWidths(usual, widths);
    const schedule = endsInWholeVectors(batch, into) ? fitting : singleEntries(fitting);
    const keep = gradients === "keep";
    // another schedule takes another time, and its first run is slow again
    const key = `${objective.name} ${direction} ${layoutKey}`;
    timeoutOf(timeoutMs);
    const wait = timeoutMs === undefined ? { key } : { key, timeoutMs };
    const request: Request = {
      plan: planFor(direction, schedule, storage, inPlace, perExample),
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

  return {
    objective,
    program,
    plan: plain,
    wgsl: (vocab = 32_000, dtype) =>
      plain("valueAndGrad", vocab, dtype).steps.map(({ kernel, wgsl }) => ({
        name: kernel.name,
        wgsl,
      })),
    explain: (shape = {}) => {
      const { vocab, dtype, totalRows: rows } = exactShape(shape, program.responses);
      const plans = {
        value: plain("value", vocab, dtype, rows),
        valueAndGrad: plain("valueAndGrad", vocab, dtype, rows),
      };
      const chosen = scheduleFor({ vocab, rows, dtype });
      const problem = device?.tuning.problem ?? null;
      const adapter = device?.line ?? null;
      return explain({ program, plans, adapter, ...chosen, problem }, shape);
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

/**
 * What lies between passes sees the batch's vocabulary, whichever model's sum it comes from.
 * @throws PrefcError "vocabulary-differs"
 */
function checkCounts(lowered: Lowered, batch: Batch, inputs: readonly Input[]): void {
  if (haveOneWidth(inputs, batch)) return;
  const between = [...lowered.stages.outputs.values()].flatMap((outputs) =>
    outputs.map(({ node }) => node),
  );
  const ends = [
    ...lowered.scalars.map(([, node]) => node),
    ...lowered.highGradients.map(({ node }) => node),
  ];
  const counted = topological([...between, ...ends]).some(
    (node) => node.tag === "count" && node.axis === "vocab",
  );
  if (!counted) return;
  fail(
    "vocabulary-differs",
    `The models have vocabularies of different sizes, and a kernel counts the entries of one (a sum of log-probabilities over the vocabulary does); give all models one vocabulary, or evaluate the objective with the interpreter.`,
  );
}

/** A gradient buffer must belong to a tensor that the gradient is taken of. */
function checkInto(
  into: Readonly<Record<string, GPUBuffer>>,
  batch: Batch,
  inputs: readonly Input[],
): void {
  const names = inputs.flatMap((input) => {
    const binding = isDifferentiated(input) ? batch.inputs[input.name] : undefined;
    return binding?.height === "logits" ? [binding.tensor.name] : [];
  });
  for (const name of Object.keys(into)) {
    if (!names.includes(name)) {
      fail(
        "unknown-tensor",
        `into: no gradient is taken of a tensor ${cite(name)}; the tensors that have one are ${[...new Set(names)].map((known) => cite(known)).join(", ")}.`,
      );
    }
  }
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
