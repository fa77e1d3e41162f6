// Gives a library that was written for browsers the WebGPU that prefc runs on: the same Dawn, the same search for an adapter,
// and a wait that sleeps before it polls.
import { availableParallelism } from "node:os";
import { globals } from "webgpu";
import { findAdapter } from "../../src/runtime/device/adapter.ts";
import { request, sleepFirst } from "./serve.mjs";

const patience = (prototype, method) => {
  const original = prototype[method];
  prototype[method] = async function patient(...args) {
    await sleepFirst();
    return await original.apply(this, args);
  };
};

export function provideWebGpu() {
  Object.assign(globalThis, globals);
  patience(globals.GPUBuffer.prototype, "mapAsync");
  patience(globals.GPUQueue.prototype, "onSubmittedWorkDone");
  const kept = [];
  const gpu = {
    wgslLanguageFeatures: new Set(),
    requestAdapter: async () => {
      const { adapter } = await findAdapter(request.adapter);
      kept.push(adapter);
      return adapter;
    },
  };
  provideNavigator(gpu);
}

/** A navigator, which Node 20 does not have. */
export function provideNavigator(gpu) {
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu, userAgent: "node", hardwareConcurrency: availableParallelism() },
    configurable: true,
  });
}
