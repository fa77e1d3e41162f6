// Error scopes around calls to WebGPU. Most of its calls never throw: what they refuse arrives in a scope later, or nowhere
// that a run could tell from another run's mistake. A scope belongs to the calls made between its push and its pop, so
// these calls are made without waiting in between.
import { PrefcError } from "../../core/error.ts";
import type { Device } from "./device.ts";

/** What went wrong within the scopes, or null. */
export type Problem = {
  readonly kind: GPUErrorFilter | "unknown";
  readonly message: string;
} | null;

/** Innermost last; a lack of memory explains the invalid buffers that validation complains of, so it is reported first. */
const filters: readonly GPUErrorFilter[] = ["validation", "internal", "out-of-memory"];

/** What an error says; those of WebGPU are no Errors, and some say nothing. */
const messageOf = (error: unknown): string => {
  const { message, name } = error as { readonly message?: unknown; readonly name?: unknown };
  const said = [message, name].find((part) => typeof part === "string" && part.trim() !== "");
  return typeof said === "string" ? said.trim() : "no reason given";
};

const pop = async (gpu: GPUDevice, filter: GPUErrorFilter): Promise<Problem> => {
  try {
    const error = await gpu.popErrorScope();
    return error === null ? null : { kind: filter, message: messageOf(error) };
  } catch (error) {
    // whether something went wrong is not known, which is no licence to go on
    return { kind: "unknown", message: messageOf(error) };
  }
};

/**
 * Makes calls in error scopes. `problem` settles when the GPU has seen them all; it never rejects. What `calls` throws
 * passes through, and the scopes are taken off all the same.
 */
export const scoped = <T>(
  { gpu }: Pick<Device, "gpu">,
  calls: () => T,
): { readonly value: T; readonly problem: Promise<Problem> } => {
  const pushed: GPUErrorFilter[] = [];
  const first = async (): Promise<Problem> => {
    const found = await Promise.all(pushed.toReversed().map((filter) => pop(gpu, filter)));
    return found.find((problem) => problem !== null) ?? null;
  };
  try {
    for (const filter of filters) {
      gpu.pushErrorScope(filter);
      pushed.push(filter);
    }
    return { value: calls(), problem: first() };
  } catch (error) {
    void first();
    throw error;
  }
};

const remedy = "correct the buffer of yours that it names, else report it as a bug of prefc";

/** The error for a problem. `during` completes "while …". */
export const problemError = (
  { line }: Device,
  during: string,
  { kind, message }: NonNullable<Problem>,
): PrefcError =>
  kind === "out-of-memory"
    ? new PrefcError(
        "gpu-out-of-memory",
        `The GPU had no memory left while ${during} on ${line}; split the batch, free other buffers, or open the device with a smaller byteBudget: ${message}`,
      )
    : new PrefcError(
        "gpu-error",
        kind === "unknown"
          ? `The GPU did not say whether a call was refused while ${during} on ${line}; ${remedy}: ${message}`
          : `The GPU refused a call while ${during} on ${line}; ${remedy}: ${message}`,
      );

/** A failure that WebGPU threw as one of ours; ours pass through. */
export const asPrefcError = ({ line }: Device, during: string, error: unknown): PrefcError =>
  error instanceof PrefcError
    ? error
    : new PrefcError(
        "gpu-error",
        `The GPU failed while ${during} on ${line}; ${remedy}: ${messageOf(error)}`,
        { cause: error },
      );
