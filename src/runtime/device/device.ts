// An open GPU device with what the rest of the compiler must know about it: which adapter it is, its limits, how many
// bytes we allow ourselves, whether it still lives, and what takes its place when it does not. Devices that we opened and
// devices that a user brings are the same record afterwards, so nothing above this file distinguishes Node from a browser.
import { fail, PrefcError } from "../../core/error.ts";
import { defaultAdapter, findAdapter, type Probe } from "./adapter.ts";
import { budgetFor, coresHere, requireBudget } from "./budget.ts";
import { within } from "./deadline.ts";
import { infoOf, lineOf, unnamed, type AdapterInfo } from "./identity.ts";
import { isNode, nodeHost } from "./host.ts";
import { requestedFeatures, requestedLimits } from "./limits.ts";
import { destroyQuietly, quietly } from "./quietly.ts";
import { untuned, type Tuning } from "../../schedule/tuning.ts";
import { cite } from "../../core/quote.ts";

export type { AdapterInfo } from "./identity.ts";

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
  /** Cores that a software adapter may use; what else a machine has is not known to WebGPU. */
  readonly cores: number;
  /** What `prefc tune` measured on this adapter with this driver. */
  readonly tuning: Tuning;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly isLost: () => boolean;
  /** Why the device was lost, or undefined while it lives. */
  readonly lossReason: () => string | undefined;
  /** Whether `dispose` was called. */
  readonly isDisposed: () => boolean;
  /** Calls `listener` once when the device is lost; the returned function takes it back. */
  readonly whenLost: (listener: () => void) => () => void;
  /** Calls `listener` with every error that no error scope caught; the returned function takes it back. */
  readonly whenError: (listener: (message: string) => void) => () => void;
  /** Errors that neither an error scope caught nor a listener heard since the last call, oldest first; forgets them. */
  readonly takeErrors: () => readonly string[];
  /**
   * The device itself while it lives; afterwards the one that takes its place, opened on the same adapter when it is first
   * asked for, and disposed of with this one. Throws PrefcError "device-lost" when there is none: the device is the user's
   * own, or the adapter is gone; "used-after-dispose".
   */
  readonly renew: () => Promise<Device>;
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
  /** The longest wait for the adapter, and then for its device, in milliseconds; 120,000. */
  readonly timeoutMs?: number;
}

const mostErrorsKept = 100;

type Surroundings = Pick<Device, "byteBudget" | "cores" | "tuning">;

/** What is known of the machine and from earlier measurements. */
const surroundings = async (info: AdapterInfo, byteBudget: number): Promise<Surroundings> => ({
  byteBudget,
  cores: await coresHere(),
  tuning: isNode ? (await nodeHost()).readTuning(lineOf(info)) : untuned,
});

const describe = (
  gpu: GPUDevice,
  info: AdapterInfo,
  { byteBudget, cores, tuning }: Surroundings,
  /** Opens a device like this one; null for a user's own, which is neither replaced nor destroyed. */
  reopen: (() => Promise<Device>) | null,
): Device => {
  const errors: string[] = [];
  const lossListeners = new Set<() => void>();
  const errorListeners = new Set<(message: string) => void>();
  let lossReason: string | undefined;
  let disposed = false;
  let successor: Promise<Device> | undefined;

  const onError = (event: GPUUncapturedErrorEvent): void => {
    // On our own device nobody else listens, and Dawn would print what we are going to raise.
    if (reopen !== null) event.preventDefault();
    const message = event.error.message.trim();
    for (const listener of errorListeners) listener(message);
    if (errorListeners.size === 0 && errors.length < mostErrorsKept) errors.push(message);
  };
  gpu.addEventListener("uncapturederror", onError);

  const lost = gpu.lost.then((loss) => {
    lossReason = [loss.reason, loss.message].filter((part) => part !== "").join(": ");
    for (const listener of lossListeners) listener();
    lossListeners.clear();
    return loss;
  });
  const subscribe =
    <Listener>(listeners: Set<Listener>) =>
    (listener: Listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };

  const replacement = async (): Promise<Device> => {
    const gone = `The GPU device ${lineOf(info)} was lost (${lossReason ?? "no reason given"})`;
    if (reopen === null) {
      return fail(
        "device-lost",
        `${gone}, and a device of your own is not replaced; adopt another one and compile again.`,
      );
    }
    let next: Device;
    try {
      next = await reopen();
    } catch (cause) {
      const reason = cause instanceof PrefcError ? ` ${cause.message}` : "";
      throw new PrefcError("device-lost", `${gone}, and no other one could be opened.${reason}`, {
        cause,
      });
    }
    if (next.line === lineOf(info) && !disposed) return next;
    next.dispose();
    return fail(
      "device-lost",
      disposed
        ? `${gone} and disposed of; open another one.`
        : `${gone}, and in its place there is only ${next.line}; call openDevice() if that will do.`,
    );
  };

  const self: Device = {
    gpu,
    info,
    line: lineOf(info),
    limits: requestedLimits(gpu.limits),
    features: [...gpu.features].toSorted(),
    byteBudget,
    cores,
    tuning,
    lost,
    isLost: () => lossReason !== undefined,
    lossReason: () => lossReason,
    isDisposed: () => disposed,
    whenLost: subscribe(lossListeners),
    whenError: subscribe(errorListeners),
    takeErrors: () => errors.splice(0),
    renew: async () => {
      if (disposed) {
        fail(
          "used-after-dispose",
          `The GPU device ${lineOf(info)} was disposed of; open another one.`,
        );
      }
      if (lossReason === undefined) return self;
      // whoever asks shares one successor; one that is lost in turn knows its own, and one that failed is tried again
      successor =
        successor === undefined
          ? replacement()
          : successor.then((next) => next.renew(), replacement);
      return await successor;
    },
    dispose: () => {
      disposed = true;
      quietly(() => gpu.removeEventListener("uncapturederror", onError));
      if (reopen !== null) destroyQuietly(gpu);
      successor?.then(
        (next) => next.dispose(),
        () => undefined,
      );
    },
  };
  return self;
};

/**
 * Finds an adapter and opens a device on it, with the adapter's own limits and with f16, subgroups and timestamps where
 * it has them. Throws PrefcError: "unknown-adapter", "no-adapter" or another of `findAdapter`'s; "byte-budget-invalid";
 * "device-refused" when the adapter does not give a device; "gpu-timeout" when the driver does not answer.
 */
export const openDevice = async (options: DeviceOptions = {}): Promise<Device> => {
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
    return describe(gpu, info, await surroundings(info, byteBudget), () => openDevice(alike));
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
  requireBudget(options.byteBudget);
  // Browsers that are older than the field leave it out.
  const known = (gpu as { readonly adapterInfo?: GPUAdapterInfo }).adapterInfo ?? unnamed;
  const info = infoOf(known, "user's own");
  const byteBudget = options.byteBudget ?? (await budgetFor(info.software, gpu.limits));
  return describe(gpu, info, await surroundings(info, byteBudget), null);
};
