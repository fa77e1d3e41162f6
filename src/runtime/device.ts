// An open GPU device with what the rest of the compiler must know about it: which adapter it is, its limits, how many
// bytes we allow ourselves, and whether it still lives. Devices that we opened and devices that a user brings are the same
// record afterwards, so nothing above this file distinguishes Node from a browser.
import { PrefcError } from "../core/error.ts";
import { defaultAdapter, findAdapter, type AdapterKind, type Probe } from "./adapter.ts";
import { budgetFor, requireBudget } from "./budget.ts";
import { requestedFeatures, requestedLimits } from "./limits.ts";

/** A plain copy of GPUAdapterInfo, whose fields are getters. Subgroup sizes are in lanes; 0 where they are not known. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True when the adapter computes on the CPU. */
  readonly software: boolean;
  readonly kind: AdapterKind;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** Matrix shapes that subgroups multiply in hardware, one JSON record each; empty where the adapter reports none. */
  readonly subgroupMatrixConfigs: readonly string[];
}

/** An open device. Hold on to it, and call `dispose` when the work is done. */
export interface Device {
  readonly gpu: GPUDevice;
  readonly info: AdapterInfo;
  /** The adapter in one line, to be printed with every measurement. */
  readonly line: string;
  /** The limits granted, by their WebGPU names (see limits.ts). */
  readonly limits: Readonly<Record<string, number>>;
  /** The features granted, sorted. */
  readonly features: readonly string[];
  /** The bytes of buffers that may live on the device at once; refusing more is the business of whoever allocates. */
  readonly byteBudget: number;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly isLost: () => boolean;
  /** Why the device was lost, or undefined while it lives. */
  readonly lossReason: () => string | undefined;
  /** Calls `listener` once when the device is lost; the returned function takes it back. */
  readonly whenLost: (listener: () => void) => () => void;
  /** Errors that no error scope caught since the last call, oldest first; forgets them. */
  readonly takeErrors: () => readonly string[];
  /** Destroys a device that openDevice opened (a user's own is left alone) and stops listening. May be called again. */
  dispose(): void;
}

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
}

const mostErrorsKept = 100;

const infoOf = (info: GPUAdapterInfo, kind: AdapterKind): AdapterInfo => {
  // Not every browser has these fields.
  const { subgroupMatrixConfigs, isFallbackAdapter } = info as {
    readonly subgroupMatrixConfigs?: Iterable<object>;
    readonly isFallbackAdapter?: boolean;
  };
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: isFallbackAdapter === true,
    kind,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    subgroupMatrixConfigs: [...(subgroupMatrixConfigs ?? [])].map((one) => JSON.stringify(one)),
  };
};

const unnamed = { vendor: "", architecture: "", device: "", description: "" } as GPUAdapterInfo;

const lineOf = ({
  vendor,
  architecture,
  device,
  description,
  software,
  kind,
}: AdapterInfo): string => {
  const maker = [vendor, architecture].filter((part) => part !== "").join(" ");
  const named = description === "" ? device : description;
  const nature =
    kind === "bundled" || (kind === "user's own" && software) ? `${kind}, software` : kind;
  return `${[maker, named].filter((part) => part !== "").join(", ") || "unnamed adapter"} [${nature}]`;
};

const describe = (
  gpu: GPUDevice,
  info: AdapterInfo,
  byteBudget: number,
  owned: boolean,
): Device => {
  const errors: string[] = [];
  const listeners = new Set<() => void>();
  let lossReason: string | undefined;

  const onError = (event: GPUUncapturedErrorEvent): void => {
    // On our own device nobody else listens, and Dawn would print what we are going to raise.
    if (owned) event.preventDefault();
    if (errors.length < mostErrorsKept) errors.push(event.error.message.trim());
  };
  gpu.addEventListener("uncapturederror", onError);

  const lost = gpu.lost.then((loss) => {
    lossReason = [loss.reason, loss.message].filter((part) => part !== "").join(": ");
    for (const listener of listeners) listener();
    listeners.clear();
    return loss;
  });

  return {
    gpu,
    info,
    line: lineOf(info),
    limits: requestedLimits(gpu.limits),
    features: [...gpu.features].toSorted(),
    byteBudget,
    lost,
    isLost: () => lossReason !== undefined,
    lossReason: () => lossReason,
    whenLost: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    takeErrors: () => errors.splice(0),
    dispose: () => {
      gpu.removeEventListener("uncapturederror", onError);
      if (owned) gpu.destroy();
    },
  };
};

/**
 * Finds an adapter and opens a device on it, with the adapter's own limits and with f16, subgroups and timestamps where
 * it has them. Throws PrefcError: "unknown-adapter", "no-adapter" or another of `findAdapter`'s; "byte-budget-invalid";
 * "device-refused" when the adapter does not give a device.
 */
export const openDevice = async (options: DeviceOptions = {}): Promise<Device> => {
  requireBudget(options.byteBudget);
  const name = options.adapter ?? (await defaultAdapter());
  const { adapter, kind } = await findAdapter(name, options.probe);
  const info = infoOf(adapter.info, kind);
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({
      label: "prefc",
      requiredFeatures: [...requestedFeatures(adapter.features)],
      requiredLimits: requestedLimits(adapter.limits),
    });
  } catch (cause) {
    const reason =
      cause instanceof Error && cause.message !== "" ? cause.message : "no reason given";
    throw new PrefcError(
      "device-refused",
      `The adapter ${lineOf(info)} refused to open a device (${reason.trim()}); try another adapter, for example "software".`,
      { cause },
    );
  }
  return describe(
    gpu,
    info,
    options.byteBudget ?? (await budgetFor(info.software, gpu.limits)),
    true,
  );
};

/**
 * Wraps a user's own GPUDevice, from a browser or from Node. It keeps the limits and features it was opened with, and
 * `dispose` leaves it open. Throws PrefcError "byte-budget-invalid".
 */
export const adoptDevice = async (gpu: GPUDevice, options: AdoptOptions = {}): Promise<Device> => {
  requireBudget(options.byteBudget);
  // Browsers that are older than the field leave it out.
  const known = (gpu as { readonly adapterInfo?: GPUAdapterInfo }).adapterInfo ?? unnamed;
  const info = infoOf(known, "user's own");
  const byteBudget = options.byteBudget ?? (await budgetFor(info.software, gpu.limits));
  return describe(gpu, info, byteBudget, false);
};
