// The compiled objective: what a user holds. Compiling is pure and needs no GPU; pipelines are made on the
// first run on a device and kept. Runs of one compiled objective take turns, since they share its buffers.

import type { Batch } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { compileProgram } from "../compile/pipeline.ts";
import { fail } from "../core/error.ts";
import type { Input } from "../core/node.ts";
import type { StorageType } from "../core/storage.ts";
import type { Objective } from "../dsl/objective.ts";
import { explain } from "../explain/json.ts";
import {
  chooseSchedule,
  singleEntries,
  typicalTraits,
  type AdapterTraits,
  type Schedule,
} from "../kernel/schedule.ts";
import type { Layout } from "../kernel/storage.ts";
import { plan, type Plan } from "../plan/plan.ts";
import { checkDivisors, knownDivisors } from "../reference/divisors.ts";
import type { CompileOptions, Compiled, GradientOptions } from "./api.ts";
import { buffers, type Buffers } from "./buffers.ts";
import { gradientsOf, valueOf } from "./collect.ts";
import type { Device } from "./device.ts";
import { execute, type Executed } from "./execute.ts";
import { reportBadLogits } from "./report.ts";
import { storageTypesOf, tensorsOf } from "./stored.ts";
import { isInPlace } from "./targets.ts";
import { endsInWholeVectors } from "./vectors.ts";

/** Compiles an objective. Changing a parameter later compiles nothing. @throws PrefcError input-too-high, unknown-height */
export function compile(objective: Objective, options: CompileOptions = {}): Compiled {
  const { device } = options;
  const program = compileProgram(objective, options);
  const held: Buffers | null = device === undefined ? null : buffers(device);
  const roots = [program.loss, ...Object.values(program.metrics), ...Object.values(program.next)];
  const divisors = knownDivisors(roots);
  const plans = new Map<string, Plan>();
  let disposed = false;
  let turn: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  const released = (): void => {
    if (disposed && underWay === 0) held?.destroy();
  };

  const scheduleFor = (vocab: number): Schedule =>
    chooseSchedule(traitsOf(device), vocab, options.schedule);
  const planFor = (
    direction: "value" | "valueAndGrad",
    schedule: Schedule,
    storage: Layout["storage"],
    inPlace: boolean = false,
  ): Plan => {
    const layout: Layout = { ...schedule, storage };
    const key = JSON.stringify([direction, layout, inPlace]);
    const known = plans.get(key);
    if (known !== undefined) return known;
    const made = plan(
      program[direction],
      { responses: program.responses, inputs: program.inputs, params: program.params },
      layout,
      inPlace,
    );
    plans.set(key, made);
    return made;
  };
  const plain = (
    direction: "value" | "valueAndGrad",
    vocab: number,
    dtype: StorageType = "f32",
  ): Plan => planFor(direction, scheduleFor(vocab), { policy: dtype, ref: dtype });

  const run = async <T>(
    direction: "value" | "valueAndGrad",
    batch: Batch,
    { params = {}, state, locate = false, timeoutMs, ...rest }: GradientOptions,
    finish: (done: Executed, plan: Plan) => Promise<T>,
  ): Promise<T> => {
    if (disposed)
      fail(
        "used-after-dispose",
        `The compiled objective "${objective.name}" was disposed; compile it again.`,
      );
    if (device === undefined || held === null) {
      return fail(
        "no-device",
        `"${objective.name}" was compiled without a device; compile(objective, { device: await openDevice() }) to run it.`,
      );
    }
    checkParams(roots, params);
    const scalars = { ...params, ...stateOf(roots, state) };
    checkBatch(batch, roots);
    checkDivisors(divisors, batch, scalars);
    const differentiated = program.gradients.map(({ input }) => input);
    checkInto(rest.into ?? {}, batch, differentiated);
    const tensors = tensorsOf(batch, program.inputs);
    const inPlace = tensors.some(({ tensor }) => isInPlace(tensor, rest.into ?? {}));
    const usual = scheduleFor(batch.vocab);
    const schedule = endsInWholeVectors(batch, rest.into ?? {}) ? usual : singleEntries(usual);
    const chosen = planFor(direction, schedule, storageTypesOf(tensors), inPlace);
    const wait = {
      key: `${objective.name} ${direction}`,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const before = turn;
    const refuseDisposed = (): void => {
      if (disposed)
        fail(
          "used-after-dispose",
          `The compiled objective "${objective.name}" was disposed while a run was under way or waiting.`,
        );
    };
    underWay++;
    const mine = (async (): Promise<T> => {
      try {
        await before.catch(() => undefined);
        refuseDisposed();
        const done = await execute(device, held, chosen, batch, {
          params: scalars,
          into: rest.into ?? {},
          wait,
          profile: rest.profile ?? false,
        });
        await reportBadLogits(device, batch, chosen, done, locate);
        const result = await finish(done, chosen);
        refuseDisposed();
        return result;
      } finally {
        underWay--;
        released();
      }
    })();
    turn = mine;
    return await mine;
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
      const { vocab = 32_000, dtype } = shape;
      const plans = {
        value: plain("value", vocab, dtype),
        valueAndGrad: plain("valueAndGrad", vocab, dtype),
      };
      return explain(
        { program, plans, schedule: scheduleFor(vocab), adapter: device?.line ?? null },
        { ...shape, vocab },
      );
    },
    value: (batch, runOptions = {}) =>
      run("value", batch, runOptions, (done, chosen) =>
        valueOf(program, chosen, batch, done, runOptions),
      ),
    valueAndGrad: (batch, runOptions = {}) =>
      run("valueAndGrad", batch, runOptions, async (done, chosen) => {
        const value = await valueOf(program, chosen, batch, done, runOptions);
        return { ...value, gradients: await gradientsOf(chosen, batch, done, runOptions) };
      }),
    memory: () => ({ buffersCreated: held?.created() ?? 0, bytes: held?.bytes() ?? 0 }),
    dispose: () => {
      // a run under way still reads its buffers, so the last one frees them
      disposed = true;
      released();
    },
  };
}

function traitsOf(device: Device | undefined): AdapterTraits {
  if (device === undefined) return typicalTraits;
  return {
    software: device.info.software,
    subgroupSize: device.info.subgroupMaxSize > 0 ? device.info.subgroupMaxSize : 4,
    maxInvocations: device.limits["maxComputeInvocationsPerWorkgroup"] ?? 256,
    slowRegisterAllocation: device.info.architecture === "swiftshader",
  };
}

/** A gradient buffer must belong to a tensor that the gradient is taken of. */
function checkInto(
  into: Readonly<Record<string, GPUBuffer>>,
  batch: Batch,
  inputs: readonly Input[],
): void {
  const names = inputs.flatMap(({ name }) => {
    const binding = name.startsWith("policy.") ? batch.inputs[name] : undefined;
    return binding?.height === "logits" ? [binding.tensor.name] : [];
  });
  for (const name of Object.keys(into)) {
    if (!names.includes(name)) {
      fail(
        "unknown-tensor",
        `into: no gradient is taken of a tensor "${name}"; the tensors that have one are ${[...new Set(names)].map((known) => `"${known}"`).join(", ")}.`,
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
