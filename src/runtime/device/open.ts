// Opening a device: on an adapter that is searched for, or around a GPUDevice that a user brings.

import { describe } from "../../core/describe.ts";
import { fail, PrefcError } from "../../core/error.ts";
import { checkedElsewhere, checkOptions, type KindsOf } from "../../core/options.ts";
import { cite } from "../../core/quote.ts";
import { untuned } from "../../schedule/tuning.ts";
import { defaultAdapter, findAdapter, type Probe } from "./adapter.ts";
import { budgetFor, coresHere, requireBudget } from "./budget.ts";
import { within } from "./deadline.ts";
import { watched, type Device, type Surroundings } from "./device.ts";
import { isNode, nodeHost } from "./host.ts";
import { infoOf, lineOf, unnamed, type AdapterInfo } from "./identity.ts";
import { requestedFeatures, requestedLimits } from "./limits.ts";
import { destroyQuietly } from "./quietly.ts";

/** Options of `adoptDevice`. */
export interface AdoptOptions {
  /** Bytes of buffers that may live on the device at once. Default: see budget.ts. */
  readonly byteBudget?: number;
}

/** Options of `openDevice`. */
export interface DeviceOptions extends AdoptOptions {
  /** One of `adapterNames`. Default: the environment variable PREFC_ADAPTER in Node, else "auto". */
  readonly adapter?: string;
  /** How a place is searched for an adapter; for tests. */
  readonly probe?: Probe;
  /** The longest wait for the adapter, and then for its device, in milliseconds; 120,000. */
  readonly timeoutMs?: number;
}

const adoptOptions: KindsOf<AdoptOptions> = { byteBudget: checkedElsewhere };
const deviceOptions: KindsOf<DeviceOptions> = {
  ...adoptOptions,
  adapter: checkedElsewhere,
  probe: { expected: "a function", fits: (value) => typeof value === "function" },
  timeoutMs: checkedElsewhere,
};

/** @throws PrefcError not-a-device */
function requireGpuDevice(gpu: unknown): void {
  if (typeof gpu === "object" && gpu !== null && "createBuffer" in gpu && "queue" in gpu) return;
  const isOpen = typeof gpu === "object" && gpu !== null && "gpu" in gpu;
  const isAdapter = typeof gpu === "object" && gpu !== null && "requestDevice" in gpu;
  const advice = isOpen
    ? "it is open already, so use it as it is"
    : gpu instanceof Promise
      ? "await it"
      : isAdapter
        ? "await its requestDevice() first"
        : "give a GPUDevice, or let openDevice() open one";
  const what = isOpen ? "a device of prefc" : isAdapter ? "a GPUAdapter" : describe(gpu);
  fail("not-a-device", `adoptDevice: the device is ${what}; ${advice}.`);
}

/** What is known of the machine and from earlier measurements. */
const surroundings = async (info: AdapterInfo, byteBudget: number): Promise<Surroundings> => ({
  byteBudget,
  cores: await coresHere(),
  tuning: isNode ? (await nodeHost()).readTuning(lineOf(info)) : untuned,
});

/**
 * Finds an adapter and opens a device on it, with the adapter's own limits and with f16, subgroups and timestamps where
 * it has them. Throws PrefcError: "unknown-adapter", "no-adapter" or another of `findAdapter`'s; "byte-budget-invalid";
 * "device-refused" when the adapter does not give a device; "gpu-timeout" when the driver does not answer.
 */
export const openDevice = async (options: DeviceOptions = {}): Promise<Device> => {
  checkOptions("openDevice", deviceOptions, options, {
    example:
      typeof options === "string" ? `{ adapter: ${cite(options)} }` : '{ adapter: "software" }',
  });
  requireBudget(options.byteBudget);
  const name = options.adapter ?? (await defaultAdapter());
  const { timeoutMs } = options;
  const { adapter, kind } = await within(
    timeoutMs,
    `finding an adapter (${cite(name)})`,
    findAdapter(name, options.probe),
  );
  const info = infoOf(adapter.info, kind);
  const during = `opening a device on ${lineOf(info)}`;
  let gpu: GPUDevice | undefined;
  try {
    const requested = adapter.requestDevice({
      label: "prefc",
      requiredFeatures: [...requestedFeatures(adapter.features)],
      requiredLimits: requestedLimits(adapter.limits),
    });
    gpu = await within(timeoutMs, during, requested, destroyQuietly);
    const byteBudget = options.byteBudget ?? (await budgetFor(info.software, gpu.limits));
    const alike = { ...options, adapter: name, byteBudget };
    return watched(gpu, info, await surroundings(info, byteBudget), () => openDevice(alike));
  } catch (cause) {
    destroyQuietly(gpu);
    if (cause instanceof PrefcError) throw cause;
    const reason =
      cause instanceof Error && cause.message !== "" ? cause.message : "no reason given";
    throw new PrefcError(
      "device-refused",
      `The adapter ${lineOf(info)} refused to open a device (${reason.trim()}); try another adapter, for example "software".`,
      { cause },
    );
  }
};

/**
 * Wraps a user's own GPUDevice, from a browser or from Node. It keeps the limits and features it was opened with, and
 * `dispose` leaves it open. Throws PrefcError "byte-budget-invalid".
 */
export const adoptDevice = async (gpu: GPUDevice, options: AdoptOptions = {}): Promise<Device> => {
  checkOptions("adoptDevice", adoptOptions, options, { example: "{ byteBudget: 2 ** 30 }" });
  requireGpuDevice(gpu);
  requireBudget(options.byteBudget);
  // Browsers that are older than the field leave it out.
  const known = (gpu as { readonly adapterInfo?: GPUAdapterInfo }).adapterInfo ?? unnamed;
  const info = infoOf(known, "user's own");
  const byteBudget = options.byteBudget ?? (await budgetFor(info.software, gpu.limits));
  return watched(gpu, info, await surroundings(info, byteBudget), null);
};
