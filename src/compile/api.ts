// What a user of a compiled objective holds and passes: options of compiling and of runs, and results.

import type { Batch, Params } from "../batch/batch.ts";
import type { Program, ProgramOptions } from "../pipeline/pipeline.ts";
import type { StorageType } from "../core/storage.ts";
import type { Objective } from "../dsl/objective.ts";
import type { Explanation, Shape } from "../explain/json.ts";
import type { ScheduleOptions } from "../schedule/schedule.ts";
import type { StatisticNeed } from "../seam/trainers.ts";
import type { Plan } from "../plan/plan.ts";
import type { Device } from "../runtime/device/device.ts";
import type { DispatchTime } from "../runtime/run/timing.ts";

export interface CompileOptions extends ProgramOptions {
  /** Where to run. Without one, `explain` and `wgsl` work and runs are refused. */
  readonly device?: Device;
  /**
   * Layout of the kernels, in part or in whole; the rest is chosen for the device and the batch. A schedule changes the
   * order of additions and nothing else. @throws PrefcError schedule-option from `compile`
   */
  readonly schedule?: ScheduleOptions;
}
export interface RunOptions {
  /** Values of run-time parameters by name, such as { beta: 0.05 }; the others keep their defaults. */
  readonly params?: Params;
  /** The state that the step before returned; without one, the initial values. A compiled objective keeps none itself. */
  readonly state?: Params;
  /** Whether the loss and the metrics of each example are read back; false. */
  readonly perExample?: boolean;
  /** On a NaN or +Infinity logit, whether to read its row back and name the column; false. */
  readonly locate?: boolean;
  /** The longest wait for the GPU in milliseconds; 120,000. */
  readonly timeoutMs?: number;
  /** Whether the GPU times each dispatch (needs the feature timestamp-query); false. */
  readonly profile?: boolean;
}
export interface GradientOptions extends RunOptions {
  /** "read" copies gradients into arrays; "keep" leaves them in GPUBuffers, valid until the next run; destroying one is allowed. */
  readonly gradients?: "read" | "keep";
  /**
   * Buffers to write gradients of logits into, by tensor name: [rows, vocab], stored as the logits are, usage STORAGE.
   * The buffer of the logits themselves may be given: then the gradient takes their place, and the batch is spent. Implies
   * "keep" for them.
   */
  readonly into?: Readonly<Record<string, GPUBuffer>>;
}
export interface Value {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * How many examples or tokens the loss ("loss") and each metric are averaged over, so that parts of a batch can be put
   * together: Σ count · value / Σ count. null where the value is no such average; `program.averages` says what it is.
   */
  readonly counts: Readonly<Record<string, number | null>>;
  /** What the next step is to be given as its state; empty for an objective without one. */
  readonly state: Readonly<Record<string, number>>;
  /** [examples], when asked for and the objective has a loss per example. */
  readonly perExample?: Float32Array;
  /** [examples] by name, with `perExample`: the metrics that are one number per example, such as rewards and margins. */
  readonly metricsPerExample?: Readonly<Record<string, Float32Array>>;
  /** GPU time of each dispatch in order, when asked for. */
  readonly times?: readonly DispatchTime[];
}
/** Gradients by name: arrays (of raw bits, see `fromHalf`, where logits are stored in 16 bits), or buffers. */
export type Gradients = Readonly<Record<string, Float32Array | Uint16Array | GPUBuffer>>;
export interface ValueAndGrad extends Value {
  /**
   * d loss / d input. Logits by tensor name ("policy", or "policy.w" when responses have tensors of their own):
   * [rows, vocab], zero outside the completion, stored as the logits are: f32, or raw bits of a 16-bit type, each the
   * nearest to what was computed in f32. Inputs at other heights, and data that are learned, by input name
   * ("policy.logp.w", "tokens.mask.w"), f32; a parameter that is learned by "param.beta": [1].
   */
  readonly gradients: Gradients;
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
  /**
   * The plan of a direction, for a vocabulary size (which decides how rows are aligned), a storage type ("f32") and as many
   * completion tokens (Infinity; of few, several workgroups share a row).
   */
  plan(
    direction: "value" | "valueAndGrad",
    vocab: number,
    dtype?: StorageType,
    rows?: number,
  ): Plan;
  /** The WGSL of value and gradient. */
  wgsl(vocab?: number, dtype?: StorageType): readonly KernelText[];
  /** What was compiled, and the bytes it moves for a shape; explanationText makes it text. @throws PrefcError shape-size, shape-responses, unknown-dtype */
  explain(shape?: Partial<Shape>): Explanation;
  /** What the objective needs of each row of each model: the seam at which a trainer hands a loss its data. */
  statistics(): readonly StatisticNeed[];
  /**
   * The loss and metrics of a batch. What a batch holds is read until the promise settles, so arrays and buffers may be
   * refilled only after it; params and state are copied when the run is asked for.
   * @throws PrefcError for every wrong input; see docs
   */
  value(batch: Batch, options?: RunOptions): Promise<Value>;
  valueAndGrad(batch: Batch, options?: GradientOptions): Promise<ValueAndGrad>;
  /**
   * Puts the results of parts of a batch together: the loss and the metrics of the whole batch, exactly up to rounding. Metrics
   * that parts do not tell are left out. A gradient of a part counts `counts.loss` of it over that of the whole.
   * @throws PrefcError parts-missing, loss-not-additive
   */
  combined(parts: readonly Value[]): Pick<Value, "loss" | "metrics" | "counts">;
  /** Buffers held on the device: how many were made, and their bytes. */
  memory(): { readonly buffersCreated: number; readonly bytes: number };
  /** Frees every buffer, as soon as no run is under way; runs under way or waiting, and later ones, are refused. */
  dispose(): void;
}
