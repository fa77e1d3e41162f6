// The caller's own buffers: logits in GPU buffers and buffers that gradients go into. WebGPU refuses a whole submission for one
// that is destroyed, mapped or of another device, in words that name no tensor. A run that was refused asks each of them here.

import { isGpuBuffer } from "../../batch/logits.ts";
import { fail } from "../../core/error.ts";
import { quote } from "../../core/quote.ts";
import type { Device } from "../device/device.ts";
import { replacedReason } from "../device/lost.ts";
import { scoped } from "../device/scopes.ts";
import { shaderStage } from "../device/usage.ts";
import { tensorsRead, tensorsWritten } from "./dispatches.ts";
import type { Run } from "./run.ts";
import { gradientRole } from "./targets.ts";
import { emptyShader } from "../../wgsl/empty.ts";

interface Own {
  readonly buffer: GPUBuffer;
  /** What it is for. */
  readonly what: string;
}

function ownBuffers({ dispatches, into }: Run): readonly Own[] {
  const logits = tensorsRead(dispatches).flatMap(({ model, tensor }): Own[] =>
    isGpuBuffer(tensor.data)
      ? [{ buffer: tensor.data, what: `${model} logits ${quote(tensor.name)}` }]
      : [],
  );
  const gradients = tensorsWritten(dispatches).flatMap((tensor): Own[] => {
    const buffer = Object.hasOwn(into, tensor.name) ? into[tensor.name] : undefined;
    return buffer === undefined ? [] : [{ buffer, what: gradientRole(tensor) }];
  });
  return [...logits, ...gradients];
}

/** Whether a device takes a buffer in a submission, and if it does not, where it stops. */
async function taken(
  device: Device,
  buffer: GPUBuffer,
): Promise<"taken" | "foreign" | "destroyed"> {
  const { gpu } = device;
  const buffers = gpu.createBindGroupLayout({
    entries: [{ binding: 0, visibility: shaderStage.compute, buffer: { type: "storage" } }],
  });
  const pipeline = gpu.createComputePipeline({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [buffers] }),
    compute: {
      module: gpu.createShaderModule({ code: emptyShader }),
    },
  });
  const bound = scoped(device, () =>
    gpu.createBindGroup({ layout: buffers, entries: [{ binding: 0, resource: { buffer } }] }),
  );
  if ((await bound.problem) !== null) return "foreign";
  const { problem } = scoped(device, () => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bound.value);
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  });
  return (await problem) === null ? "taken" : "destroyed";
}

/**
 * Names the caller's buffer because of which the GPU refused a run, if there is one.
 * @throws PrefcError buffer-unusable
 */
export async function refuseUnusable(run: Run): Promise<void> {
  const { device } = run;
  for (const { buffer, what } of ownBuffers(run)) {
    const state = await taken(device, buffer);
    if (state === "taken") continue;
    const lost = replacedReason(device);
    const advice =
      state === "destroyed"
        ? "was destroyed; keep it until the run has ended, or make another one"
        : lost === undefined
          ? `was made on another device than ${device.line}, on which the run takes place; make it with gpu.createBuffer of the device that compile was given`
          : `was made on a device that was lost (${lost}) and replaced, and it was lost with it; make it again with (await device.renew()).gpu.createBuffer`;
    fail("buffer-unusable", `The GPUBuffer for the ${what} ${advice}.`);
  }
}
