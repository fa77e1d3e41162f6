// The WebGPU constants that compute work needs. Browsers define them as globals and Node does not; the numbers are fixed by
// the WebGPU specification, so spelling them out here spares the user's global scope.

type Constants<Name extends string> = Readonly<Record<Name, number>>;

/** What a buffer may be used for (GPUBufferUsage in the specification); combine with `|`. */
export const bufferUsage: Constants<
  "mapRead" | "mapWrite" | "copySource" | "copyTarget" | "uniform" | "storage" | "queryResolve"
> = {
  mapRead: 0x0001,
  mapWrite: 0x0002,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
};

/** The usage of a buffer that results are read back through. */
export const stagingUsage: number = bufferUsage.mapRead | bufferUsage.copyTarget;

/** How a buffer is mapped (GPUMapMode in the specification). */
export const mapMode: Constants<"read" | "write"> = { read: 0x0001, write: 0x0002 };

/** The shader stages a binding is visible to (GPUShaderStage in the specification). */
export const shaderStage: Constants<"compute"> = { compute: 0x4 };
