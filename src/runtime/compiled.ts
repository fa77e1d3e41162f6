// The compiled objective: what a user holds. Compiling is pure and needs no GPU; pipelines are made on the
// first run on a device and kept. Runs of one compiled objective take turns, since they share its buffers.

import type { Batch, Params } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { checkParams, stateOf } from "../batch/params.ts";
import { compileProgram, type Program, type ProgramOptions } from "../compile/pipeline.ts";
import { fail } from "../core/error.ts";
import type { Input } from "../core/node.ts";
import type { Objective } from "../dsl/objective.ts";
import { explain, type Explanation, type Shape } from "../explain/json.ts";
import {
  chooseSchedule,
  typicalTraits,
  type AdapterTraits,
  type Schedule,
} from "../kernel/schedule.ts";
import { plan, type Plan } from "../plan/plan.ts";
import { buffers, type Buffers } from "./buffers.ts";
import type { Device } from "./device.ts";
import { execute, type Executed } from "./execute.ts";
import { readBuffer } from "./readback.ts";
import { reportBadLogits } from "./report.ts";

export interface CompileOptions extends ProgramOptions {
  /** Where to run. Without one, `explain` and `wgsl` work and runs are refused. */
  readonly device?: Device;
  /** Layout of the kernels; chosen for the device when not given. A schedule never changes what is computed. */
  readonly schedule?: Partial<Schedule>;
}
export interface RunOptions {
  /** Values of run-time parameters by name, such as { beta: 0.05 }; the others keep their defaults. */
  readonly params?: Params;
  /** The state that the step before returned; without one, the initial values. A compiled objective keeps none itself. */
  readonly state?: Params;
  /** Whether the loss of each example is read back; false. */
  readonly perExample?: boolean;
  /** On a NaN or +Infinity logit, whether to read its row back and name the column; false. */
  readonly locate?: boolean;
  /** The longest wait for the GPU in milliseconds; 120,000. */
  readonly timeoutMs?: number;
}
export interface GradientOptions extends RunOptions {
  /** "read" copies gradients into Float32Arrays; "keep" leaves them in GPUBuffers, valid until the next run. */
  readonly gradients?: "read" | "keep";
  /** Buffers to write gradients of logits into, by tensor name; f32 [rows, vocab], usage STORAGE. Implies "keep" for them. */
  readonly into?: Readonly<Record<string, GPUBuffer>>;
}
export interface Value {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** What the next step is to be given as its state; empty for an objective without one. */
  readonly state: Readonly<Record<string, number>>;
  /** [examples], when asked for and the objective has a loss per example. */
  readonly perExample?: Float32Array;
}
export interface ValueAndGrad extends Value {
  /**
   * d loss / d input. Logits by tensor name ("policy", or "policy.w" when responses have tensors of their own):
   * f32 [rows, vocab], zero outside the completion. Inputs at other heights by input name ("policy.logp.w").
   */
  readonly gradients: Readonly<Record<string, Float32Array | GPUBuffer>>;
}
/** The dispatches of one direction as text. */
export interface KernelText {
  readonly name: string;
  readonly wgsl: string;
}
export interface Compiled {
  readonly objective: Objective;
  /** Every stage between the formula and the kernels, as data. */
  readonly program: Program;
  /** The plan of a direction, for a vocabulary size (which decides how rows are aligned). */
  plan(direction: "value" | "valueAndGrad", vocab: number): Plan;
  /** The WGSL of value and gradient. */
  wgsl(vocab?: number): readonly KernelText[];
  /** What was compiled, and the bytes it moves for a shape; explanationText makes it text. @throws PrefcError shape-size, shape-responses, unknown-dtype */
  explain(shape?: Partial<Shape>): Explanation;
  /** The loss and metrics of a batch. @throws PrefcError for every wrong input; see docs */
  value(batch: Batch, options?: RunOptions): Promise<Value>;
  valueAndGrad(batch: Batch, options?: GradientOptions): Promise<ValueAndGrad>;
  /** Buffers held on the device: how many were made, and their bytes. */
  memory(): { readonly buffersCreated: number; readonly bytes: number };
  /** Frees every buffer. A later run is refused. */
  dispose(): void;
}

/** Compiles an objective. Changing a parameter later compiles nothing. @throws PrefcError input-too-high, unknown-height */
export function compile(objective: Objective, options: CompileOptions = {}): Compiled {
  const { device } = options;
  const program = compileProgram(objective, options);
  const held: Buffers | null = device === undefined ? null : buffers(device);
  const plans = new Map<string, Plan>();
  let disposed = false;
  let turn: Promise<unknown> = Promise.resolve();

  const scheduleFor = (vocab: number): Schedule => ({
    ...chooseSchedule(traitsOf(device), vocab),
    ...options.schedule,
  });
  const planFor = (direction: "value" | "valueAndGrad", vocab: number): Plan => {
    const schedule = scheduleFor(vocab);
    const key = JSON.stringify([direction, schedule]);
    const known = plans.get(key);
    if (known !== undefined) return known;
    const made = plan(
      program[direction],
      { responses: program.responses, inputs: program.inputs, params: program.params },
      schedule,
    );
    plans.set(key, made);
    return made;
  };

  const run = async <T>(
    direction: "value" | "valueAndGrad",
    batch: Batch,
    { params = {}, state, locate = false, timeoutMs, ...rest }: GradientOptions,
    finish: (device: Device, done: Executed, plan: Plan) => Promise<T>,
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
    const roots = [program.loss, ...Object.values(program.metrics), ...Object.values(program.next)];
    checkParams(roots, params);
    const scalars = { ...params, ...stateOf(roots, state) };
    checkBatch(batch, roots);
    checkInto(rest.into ?? {}, batch, program.inputs);
    const chosen = planFor(direction, batch.vocab);
    const wait = {
      key: `${objective.name} ${direction}`,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const before = turn;
    const mine = (async (): Promise<T> => {
      await before.catch(() => undefined);
      if (disposed)
        fail(
          "used-after-dispose",
          `The compiled objective "${objective.name}" was disposed while a run was waiting.`,
        );
      const done = await execute(device, held, chosen, batch, {
        params: scalars,
        into: rest.into ?? {},
        wait,
      });
      await reportBadLogits(device, batch, chosen, done, locate);
      return await finish(device, done, chosen);
    })();
    turn = mine;
    return await mine;
  };

  const valueOf = async (
    device: Device,
    done: Executed,
    chosen: Plan,
    batch: Batch,
    wanted: boolean,
  ): Promise<Value> => {
    const [loss, ...others] = [...done.scalars] as [number, ...number[]];
    const names = Object.keys(program.metrics);
    const metrics = Object.fromEntries(names.map((name, n) => [name, others[n]!]));
    const next = Object.keys(program.next);
    const state = Object.fromEntries(next.map((name, n) => [name, others[names.length + n]!]));
    checkFinite("The loss", loss);
    for (const [name, number] of Object.entries(metrics))
      checkFinite(`The metric "${name}"`, number);
    for (const [name, number] of Object.entries(state))
      checkFinite(`The next value of the state "${name}"`, number);
    if (!wanted || chosen.perExample === null) return { loss, metrics, state };
    const bytes = await readBuffer(
      device,
      done.examples,
      chosen.perExample * batch.examples * 4,
      batch.examples * 4,
      "reading the loss of each example",
    );
    return { loss, metrics, state, perExample: new Float32Array(bytes) };
  };
  const checkFinite = (what: string, number: number): void => {
    if (Number.isFinite(number)) return;
    fail(
      "value-not-finite",
      `${what} of "${objective.name}" is ${number} in float32: a value left its range; check parameters and rewards, or run the reference interpreter for its float64 value.`,
    );
  };

  return {
    objective,
    program,
    plan: planFor,
    wgsl: (vocab = 32_000) =>
      planFor("valueAndGrad", vocab).steps.map(({ kernel, wgsl }) => ({ name: kernel.name, wgsl })),
    explain: (shape = {}) => {
      const { vocab = 32_000 } = shape;
      const plans = {
        value: planFor("value", vocab),
        valueAndGrad: planFor("valueAndGrad", vocab),
      };
      return explain(
        { program, plans, schedule: scheduleFor(vocab), adapter: device?.line ?? null },
        { ...shape, vocab },
      );
    },
    value: (batch, runOptions = {}) =>
      run("value", batch, runOptions, (on, done, chosen) =>
        valueOf(on, done, chosen, batch, runOptions.perExample ?? false),
      ),
    valueAndGrad: (batch, runOptions = {}) =>
      run("valueAndGrad", batch, runOptions, async (on, done, chosen) => {
        const value = await valueOf(on, done, chosen, batch, runOptions.perExample ?? false);
        const gradients: Record<string, Float32Array | GPUBuffer> = {};
        for (const [name, { buffer, rows }] of done.gradients) {
          const keep = runOptions.gradients === "keep" || name in (runOptions.into ?? {});
          gradients[name] = keep
            ? buffer
            : new Float32Array(
                await readBuffer(on, buffer, 0, rows * batch.vocab * 4, "reading a gradient"),
              );
        }
        for (const { input, response, slot } of chosen.highGradients) {
          const base =
            response === null ? 0 : done.stacked.bases[chosen.responses.indexOf(response)]!;
          const length =
            response === null ? batch.examples : batch.responses[response]!.labels.length;
          const start =
            response === null ? slot * batch.examples : slot * done.stacked.tokens + base;
          const source = response === null ? done.examples : done.rows;
          gradients[input] = new Float32Array(
            await readBuffer(on, source, start * 4, length * 4, "reading a gradient"),
          );
        }
        return { ...value, gradients };
      }),
    memory: () => ({ buffersCreated: held?.created() ?? 0, bytes: held?.bytes() ?? 0 }),
    dispose: () => {
      disposed = true;
      held?.destroy();
    },
  };
}

function traitsOf(device: Device | undefined): AdapterTraits {
  if (device === undefined) return typicalTraits;
  return {
    software: device.info.software,
    subgroupSize: device.info.subgroupMaxSize > 0 ? device.info.subgroupMaxSize : 4,
    maxInvocations: device.limits["maxComputeInvocationsPerWorkgroup"] ?? 256,
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
        `into: the batch has no policy tensor "${name}"; its tensors are ${[...new Set(names)].map((known) => `"${known}"`).join(", ")}.`,
      );
    }
  }
}
