// How many bytes of buffers we allow ourselves. Software adapters were seen to hand out far more memory than there is
// without any out-of-memory error, and WebGPU does not tell how much a GPU has, so a budget of our own decides.
import { cite } from "../../core/quote.ts";
import { PrefcError } from "../../core/error.ts";
import { isNode, nodeHost } from "./host.ts";

const gibibyte = 2 ** 30;

/** No software adapter gets more than this by default; larger work should be asked for. */
const softwareCap = 16 * gibibyte;

/** A GPU's memory is unknown to WebGPU; cards whose largest buffer is N bytes commonly have a few times N. */
const buffersPerGpu = 4;
/** No GPU has more: NVIDIA's Vulkan driver says 1 TiB for the largest buffer of a card with 80 GiB. */
const gpuCap = 512 * gibibyte;

/** What a browser says of the machine's memory (in GiB, rounded down to at most 8), else the least worth assuming. */
const browserMemory = (): number => {
  const { navigator } = globalThis as { readonly navigator?: { readonly deviceMemory?: number } };
  return (navigator?.deviceMemory ?? 4) * gibibyte;
};

/**
 * The default budget in bytes. A software adapter shares the machine's memory: half of what the process may use, at most
 * 16 GiB. A GPU: four times its largest buffer, at most 512 GiB; what does not fit the card is an error of its own.
 */
export const budgetFor = async (software: boolean, limits: GPUSupportedLimits): Promise<number> => {
  if (!software) return Math.min(buffersPerGpu * limits.maxBufferSize, gpuCap);
  const memory = isNode ? (await nodeHost()).memoryBytes() : browserMemory();
  return Math.min(Math.floor(memory / 2), softwareCap);
};

/** Cores of the machine, as far as they may be known. */
export const coresHere = async (): Promise<number> => {
  if (isNode) return (await nodeHost()).coreCount();
  const { navigator } = globalThis as { readonly navigator?: { hardwareConcurrency?: number } };
  return navigator?.hardwareConcurrency ?? 1;
};

/** Checks a budget that a user gives. Throws PrefcError "byte-budget-invalid". */
export const requireBudget = (byteBudget: number | undefined): void => {
  if (byteBudget === undefined || (Number.isSafeInteger(byteBudget) && byteBudget > 0)) return;
  throw new PrefcError(
    "byte-budget-invalid",
    `byteBudget must be a whole number of bytes greater than 0, but it is ${cite(byteBudget)}; leave it out for the default.`,
  );
};
