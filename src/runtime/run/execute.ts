// Runs a plan on a batch: records every dispatch and every copy of what is to be read into one submission, waits, and takes
// the results from the staging buffers. Nothing of vocabulary size is read back unless gradients are asked for as arrays.

import type { Batch, LogitsTensor, Params } from "../../batch/batch.ts";
import { fail } from "../../core/error.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Buffers } from "./buffers.ts";
import type { Device } from "../device/device.ts";
import { listDispatches } from "./dispatches.ts";
import { stack, type Stacked } from "./stack.ts";
import { requireAlive } from "../device/lost.ts";
import { pipelineFor } from "../shaders/pipelines.ts";
import { partBytes, partRole, readInParts } from "./large.ts";
import { readStaging, type WaitOptions } from "../device/readback.ts";
import { submit } from "./submit.ts";
import { scoped } from "../device/scopes.ts";
import { isInPlace, type Targets } from "./targets.ts";
import { timer, type DispatchTime, type Timer } from "./timing.ts";
import { stagingUsage } from "../device/usage.ts";
import { wholeVectorsWithin } from "./vectors.ts";

/** What a run leaves behind. */
export interface Executed {
  readonly stacked: Stacked;
  /** In the order of the plan's scalars. */
  readonly scalars: Float64Array;
  /** By word (see resources.ts): 0xffffffff − the first token with, of each model, a bad logit, then with an impossible label; then of a gradient out of range; 0 for none. */
  readonly status: Uint32Array;
  /** Gradients of logits by the tensor's name: as they were read, or where they lie on the device. */
  readonly gradients: ReadonlyMap<string, Float32Array | Uint16Array | GPUBuffer>;
  /** Gradients of inputs at other heights, by the input's name. */
  readonly highGradients: ReadonlyMap<string, Float32Array>;
  /** [examples], when it was asked for and there is one. */
  readonly perExample: Float32Array | null;
  /** GPU time of each dispatch in order, when the run was profiled. */
  readonly times: readonly DispatchTime[] | null;
}
/** A run's place in the order of submissions. */
export interface Turn {
  /** Resolves when every run that started earlier has been submitted or has failed. */
  readonly before: Promise<void>;
  /** Lets the next run submit. */
  readonly pass: () => void;
}
export interface ExecuteOptions {
  readonly params: Params;
  /** Where the gradient of a tensor is to be written, by the tensor's name. */
  readonly into: Targets;
  /** Whether gradients of logits stay on the device. */
  readonly keep: boolean;
  /** Whether the loss of each example is read. */
  readonly perExample: boolean;
  readonly wait: WaitOptions;
  /** Whether the GPU times each dispatch. */
  readonly profile: boolean;
}

const during = "running a plan";

/** @throws PrefcError what reserving, compiling, submitting and reading throw */
export async function execute(
  device: Device,
  held: Buffers,
  plan: Plan,
  batch: Batch,
  turn: Turn,
  options: ExecuteOptions,
): Promise<Executed> {
  requireAlive(device, "starting a run");
  const { into, wait } = options;
  const limit = wait.timeoutMs === undefined ? {} : { timeoutMs: wait.timeoutMs };
  const stacked = stack(batch, plan.responses);
  const limits = {
    maxBinding: wholeVectorsWithin(device.limits["maxStorageBufferBindingSize"] ?? Infinity),
    alignment: Math.max(256, device.limits["minStorageBufferOffsetAlignment"] ?? 256),
  };
  const inPlace = (tensor: LogitsTensor): boolean => isInPlace(tensor, into);
  const dispatches = listDispatches(plan, batch, stacked, limits, inPlace);
  const pipelines = await Promise.all(
    dispatches.map(({ kernel, wgsl }) => pipelineFor(device, kernel, wgsl, limit)),
  );
  await turn.before;
  requireAlive(device, "starting a run");
  let clock = null as Timer | null;
  const heard: string[] = [];
  const forget = device.whenError((message) => heard.push(message));
  try {
    const { value: submitted, problem } = scoped(device, () => {
      if (options.profile) clock = timer(device, dispatches.length);
      return submit(device, held, plan, batch, stacked, dispatches, pipelines, clock, options);
    });
    turn.pass();
    const waiting = {
      ...wait,
      work: stacked.tokens * batch.vocab,
      throughout: options.profile,
    };
    const { staging, bytes, large } = submitted;
    const read = await readStaging(device, staging, bytes, during, waiting, problem);
    const results = submitted.results(read);
    const gradients = new Map(results.gradients);
    if (large.length > 0 && results.status.every((word) => word === 0)) {
      const part = held.hold(partRole, partBytes, stagingUsage);
      for (const one of large) {
        const what = "reading a gradient";
        const words = await readInParts(device, part, one.buffer, one.bytes, what, limit);
        gradients.set(one.name, one.asStored(words));
      }
    }
    const [error] = heard;
    if (error !== undefined) {
      fail("gpu-error", `The GPU reported an error while ${during} on ${device.line}: ${error}`);
    }
    const names = dispatches.map(({ kernel }) => kernel.name);
    const times = (await clock?.read(names, limit)) ?? null;
    return { stacked, times, ...results, gradients };
  } finally {
    forget();
    clock?.dispose();
  }
}
