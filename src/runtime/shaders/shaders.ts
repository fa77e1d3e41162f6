// Compiling WGSL so that a mistake in it becomes an error with the line it is on. A shader error does not throw in WebGPU:
// it is found in the module's compilation info, and errors of the whole pipeline in the rejected creation.
import { entryPoints } from "../../wgsl/entries.ts";
import { PrefcError } from "../../core/error.ts";
import type { Device } from "../device/device.ts";
import { isNode, nodeHost } from "../device/host.ts";
import { lossNoticed, requireAlive } from "../device/lost.ts";
import { sleepThenAwait, type WaitOptions } from "../device/wait.ts";
import { asPrefcError, problemError, scoped, type Problem } from "../device/scopes.ts";

/** One complaint of the WGSL compiler. Line and column count from 1; both are 0 when the complaint has no place. */
export interface Diagnostic {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Options of `createPipeline`. */
export interface PipelineOptions {
  /** The bind group layouts; default: derived from the shader. */
  readonly layout?: GPUPipelineLayout;
  /** Which function of the shader to run; needed when there are several. */
  readonly entryPoint?: string;
  /** Values of the shader's `override` declarations. */
  readonly constants?: Record<string, number>;
  /** What a line of the shader computes, for complaints about it; null where nothing is known. */
  readonly describe?: (line: number) => string | null;
}

const errorsOf = async (module: GPUShaderModule): Promise<readonly Diagnostic[]> => {
  const { messages } = await module.getCompilationInfo();
  return messages
    .filter(({ type }) => type === "error")
    .map(({ lineNum, linePos, message }) => ({
      line: lineNum,
      column: linePos,
      message: message.trim(),
    }));
};

/**
 * A diagnostic as text: line, column and the message's first line, the source line it is about, the rest, and the
 * expression that the line was made for, where `describe` knows it.
 */
export const showDiagnostic = (
  { line, column, message }: Diagnostic,
  wgsl: string,
  describe: (line: number) => string | null = () => null,
): string => {
  const source = wgsl.split("\n")[line - 1];
  if (source === undefined) return message;
  const [first = "", ...rest] = message.split("\n");
  const caret = `${" ".repeat(Math.max(0, column - 1))}^`;
  const purpose = describe(line);
  return [
    `line ${line}, column ${column}: ${first}`,
    `  ${source}`,
    `  ${caret}`,
    ...rest,
    ...(purpose === null ? [] : [`This line computes ${purpose}.`]),
  ].join("\n");
};

const rejected = (
  label: string,
  wgsl: string,
  diagnostics: readonly Diagnostic[],
  describe?: PipelineOptions["describe"],
): PrefcError => {
  const shown = diagnostics.map((one) => showDiagnostic(one, wgsl, describe)).join("\n");
  return new PrefcError(
    "shader-rejected",
    `The shader "${label}" was rejected; report it as a bug of prefc or of the driver, or try another adapter: ${shown}`,
  );
};

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message.trim() : "no reason given";

/** Compiles in error scopes, so that what Dawn has to say neither goes to standard error nor is taken for a later error. */
const compile = async (
  gpu: GPUDevice,
  wgsl: string,
  label: string,
): Promise<{
  readonly module: GPUShaderModule;
  readonly diagnostics: readonly Diagnostic[];
  readonly problem: Problem;
}> => {
  const { value: module, problem } = scoped({ gpu }, () =>
    gpu.createShaderModule({ code: wgsl, label }),
  );
  const diagnostics = await errorsOf(module);
  const found = await problem;
  if (diagnostics.length > 0 || found === null) return { module, diagnostics, problem: found };
  const said = [{ line: 0, column: 0, message: found.message }];
  return { module, diagnostics: said, problem: found };
};

/**
 * Compiles a compute shader into a pipeline. Throws PrefcError "shader-rejected" with the compiler's message, the line and
 * the source line, "gpu-out-of-memory", "device-lost" when the device is gone, "gpu-timeout" when the driver never finishes, and "gpu-error" when
 * a call fails in another way.
 */
export const createPipeline = async (
  device: Device,
  wgsl: string,
  label: string,
  { layout, entryPoint, constants, describe }: PipelineOptions = {},
  wait: WaitOptions = {},
): Promise<GPUComputePipeline> => {
  const during = `compiling the shader "${label}"`;
  const create = async (): Promise<GPUComputePipeline> => {
    const { module, diagnostics, problem } = await compile(device.gpu, wgsl, label);
    requireAlive(device, during);
    // which is no fault of the shader
    if (problem?.kind === "out-of-memory") throw problemError(device, during, problem);
    if (diagnostics.length > 0) throw rejected(label, wgsl, diagnostics, describe);
    try {
      return await device.gpu.createComputePipelineAsync({
        label,
        layout: layout ?? "auto",
        compute: {
          module,
          ...(entryPoint === undefined ? {} : { entryPoint }),
          ...(constants === undefined ? {} : { constants }),
        },
      });
    } catch (error) {
      if (await lossNoticed(device)) requireAlive(device, during);
      throw rejected(label, wgsl, [{ line: 0, column: 0, message: messageOf(error) }]);
    }
  };
  try {
    return await sleepThenAwait(device, during, create, { ...wait, compiling: during });
  } catch (error) {
    throw asPrefcError(device, during, error);
  }
};

/**
 * Checks WGSL without a GPU, on Dawn's null backend: the language's rules, and for each compute entry point the limits that
 * every WebGPU device grants. An empty list means that it is valid. In Node only: throws PrefcError "null-backend-missing"
 * elsewhere.
 */
export const validateWgsl = async (code: string): Promise<readonly Diagnostic[]> => {
  if (!isNode) {
    throw new PrefcError(
      "null-backend-missing",
      "Shaders can be checked without a device in Node only; in a browser, create the pipeline on a device.",
    );
  }
  const gpu = await (await nodeHost()).nullDevice();
  const { module, diagnostics } = await compile(gpu, code, "checked");
  if (diagnostics.length > 0) return diagnostics;
  const problems: Diagnostic[] = [];
  for (const entryPoint of entryPoints(code)) {
    try {
      await gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint } });
    } catch (error) {
      problems.push({ line: 0, column: 0, message: messageOf(error) });
    }
  }
  return problems;
};
