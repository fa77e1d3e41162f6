// Which limits and features of an adapter a device is opened with. requestDevice grants only WebGPU's modest defaults
// unless it is asked for more (128 MiB a binding, 256 MiB a buffer), so everything that compute work touches is asked for.

/** The limits that compute work touches, each requested at the adapter's own value. */
const limitNames: readonly (keyof GPUSupportedLimits)[] = [
  "maxBindGroups",
  "maxBindingsPerBindGroup",
  "maxDynamicUniformBuffersPerPipelineLayout",
  "maxDynamicStorageBuffersPerPipelineLayout",
  "maxStorageBuffersPerShaderStage",
  "maxUniformBuffersPerShaderStage",
  "maxUniformBufferBindingSize",
  "maxStorageBufferBindingSize",
  "minUniformBufferOffsetAlignment",
  "minStorageBufferOffsetAlignment",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
];

/** The features that generated kernels and timings can use; each is requested where the adapter has it. */
export const featureNames: readonly GPUFeatureName[] = [
  "shader-f16",
  "subgroups",
  "timestamp-query",
];

/** The values of those limits that the object has (its fields are getters, so it cannot be copied by spreading). */
export const requestedLimits = (supported: GPUSupportedLimits): Record<string, number> => {
  const limits: Record<string, number> = {};
  for (const name of limitNames) {
    const value: unknown = supported[name];
    if (typeof value === "number") limits[name] = value;
  }
  return limits;
};

/** The wanted features that the set has. */
export const requestedFeatures = (supported: ReadonlySet<string>): readonly GPUFeatureName[] =>
  featureNames.filter((name) => supported.has(name));
