// Runs a plan on a batch: records every dispatch and every copy of what is to be read into one submission, waits, and takes
// the results from the staging buffers. Nothing of vocabulary size is read back unless gradients are asked for as arrays.

import type { LogitsTensor } from "../../batch/batch.ts";
import { fail, PrefcError } from "../../core/error.ts";
import { isClean } from "../../kernel/status.ts";
import type { Buffers } from "./buffers.ts";
import { refuseUnusable } from "./callers.ts";
import type { Device } from "../device/device.ts";
import { listDispatches } from "./dispatches.ts";
import { stack } from "./stack.ts";
import { requireAlive } from "../device/lost.ts";
import { pipelineFor, type Pipeline } from "../shaders/pipelines.ts";
import { partBytes, partRole, readInParts } from "./large.ts";
import { readStaging } from "../device/read.ts";
import { submit } from "./submit.ts";
import { scoped } from "../device/scopes.ts";
import type { Executed, Request, Run, Turn } from "./run.ts";
import { isInPlace, refuseSpent, spend } from "./targets.ts";
import { timer, type Timer } from "./timing.ts";
import { stagingUsage } from "../device/usage.ts";
import { wholeVectorsWithin } from "./vectors.ts";

const during = "running a plan";
const duringFirst = "compiling the shaders of a plan and running it for the first time";

/** Pipelines that a driver has run and so has certainly compiled. */
const haveRun = new WeakSet<Pipeline>();

/** @throws PrefcError what reserving, compiling, submitting and reading throw */
export async function execute(
  request: Request,
  device: Device,
  held: Buffers,
  turn: Turn,
): Promise<Executed> {
  requireAlive(device, "starting a run");
  const { plan, batch, into, wait } = request;
  const limit = wait.timeoutMs === undefined ? {} : { timeoutMs: wait.timeoutMs };
  const stacked = stack(batch, plan.responses);
  const limits = {
    maxBinding: wholeVectorsWithin(device.limits["maxStorageBufferBindingSize"] ?? Infinity),
    alignment: Math.max(256, device.limits["minStorageBufferOffsetAlignment"] ?? 256),
  };
  const inPlace = (tensor: LogitsTensor): boolean => isInPlace(tensor, into);
  const dispatches = listDispatches(plan, batch, stacked, limits, inPlace);
  const run: Run = { ...request, device, held, stacked, dispatches };
  const pipelines = await Promise.all(
    dispatches.map(({ kernel, wgsl }) => pipelineFor(device, kernel, wgsl, limit)),
  );
  await turn.before;
  requireAlive(device, "starting a run");
  let clock = null as Timer | null;
  let unspend = (): void => undefined;
  const heard: string[] = [];
  const forget = device.whenError((message) => heard.push(message));
  try {
    refuseSpent(batch);
    const { value: submitted, problem } = scoped(device, () => {
      if (run.profile) clock = timer(device, dispatches.length);
      return submit(run, pipelines, clock);
    });
    unspend = spend(run);
    turn.pass();
    // some drivers compile a shader when it first runs
    const isFirst = pipelines.some((pipeline) => !haveRun.has(pipeline));
    const waiting = {
      ...wait,
      compiling: isFirst ? duringFirst : undefined,
      work: stacked.tokens * batch.vocab,
      throughout: run.profile,
    };
    const { staging, bytes, large } = submitted;
    const read = await readStaging(device, staging, bytes, during, waiting, problem);
    for (const pipeline of pipelines) haveRun.add(pipeline);
    const results = submitted.results(read);
    const gradients = new Map(results.gradients);
    if (large.length > 0 && isClean(results.status)) {
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
  } catch (error) {
    const isRefused = !(error instanceof PrefcError) || error.code === "gpu-error";
    if (isRefused && !device.isLost()) {
      // a submission is refused as a whole
      unspend();
      await refuseUnusable(run);
    }
    throw error;
  } finally {
    forget();
    clock?.dispose();
  }
}
