// A run as a record: what is computed of which batch, on which device, and what it leaves. Everything that works on a run takes
// this record, so that a new fact about runs is one field here.

import type { Batch, Params } from "../../batch/batch.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Device } from "../device/device.ts";
import type { WaitOptions } from "../device/wait.ts";
import type { Buffers } from "./buffers.ts";
import type { Dispatch } from "./dispatches.ts";
import type { Stacked } from "./stack.ts";
import type { Targets } from "./targets.ts";
import type { DispatchTime } from "./timing.ts";

/** What a run computes, on whatever device it comes to run. */
export interface Request {
  readonly plan: Plan;
  readonly batch: Batch;
  /** Parameters and state by name. */
  readonly params: Params;
  /** Where the gradient of a tensor is to be written, by the tensor's name. */
  readonly into: Targets;
  /** Whether gradients of logits stay on the device. */
  readonly keep: boolean;
  /** Whether the loss and metrics of each example are read. */
  readonly perExample: boolean;
  readonly wait: WaitOptions;
  /** Whether the GPU times each dispatch. */
  readonly profile: boolean;
}

/** A request on a device: its buffers there, and everything that it dispatches. */
export interface Run extends Request {
  readonly device: Device;
  readonly held: Buffers;
  readonly stacked: Stacked;
  readonly dispatches: readonly Dispatch[];
}

/** A run's place in the order of submissions. */
export interface Turn {
  /** Resolves when every run that started earlier has been submitted or has failed. */
  readonly before: Promise<void>;
  /** Lets the next run submit. */
  readonly pass: () => void;
}

/** What a run leaves behind. */
export interface Executed {
  readonly stacked: Stacked;
  /** In the order of the plan's scalars. */
  readonly scalars: Float64Array;
  /** What is wrong with which token (kernel/status.ts). */
  readonly status: Uint32Array;
  /** Gradients of logits by the tensor's name: as they were read, or where they lie on the device. */
  readonly gradients: ReadonlyMap<string, Float32Array | Uint16Array | GPUBuffer>;
  /** Gradients of inputs at other heights, by the input's name. */
  readonly highGradients: ReadonlyMap<string, Float32Array>;
  /** [examples], when it was asked for and there is one. */
  readonly perExample: Float32Array | null;
  /** Metrics of each example by name, when they were asked for. */
  readonly each: ReadonlyMap<string, Float32Array>;
  /** GPU time of each dispatch in order, when the run was profiled. */
  readonly times: readonly DispatchTime[] | null;
}
