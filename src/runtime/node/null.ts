// A device on Dawn's null backend: it compiles and validates, and executes nothing. It needs no GPU and no driver, so
// generated shaders can be checked anywhere.
import { PrefcError } from "../../core/error.ts";
import { requestedLimits } from "../device/limits.ts";
import { adapterOf } from "./instance.ts";

let opened: Promise<GPUDevice> | undefined;

/** A device of the adapter that is found. Throws PrefcError "null-backend-missing" when there is none. */
export const nullDeviceOf = async (find: () => Promise<GPUAdapter | null>): Promise<GPUDevice> => {
  const adapter = await find();
  if (adapter === null) {
    throw new PrefcError(
      "null-backend-missing",
      "The webgpu package has no null backend, so shaders cannot be checked without a GPU; install version 0.6.2 of it.",
    );
  }
  const features = [...adapter.features] as GPUFeatureName[];
  return await adapter.requestDevice({
    requiredFeatures: features.filter((name) => name === "shader-f16" || name === "subgroups"),
    requiredLimits: requestedLimits(adapter.limits),
  });
};

/** The process's one device on the null backend, with WebGPU's default limits, f16 and subgroups. */
export const nullDevice = (): Promise<GPUDevice> =>
  (opened ??= nullDeviceOf(() => adapterOf("null")));
