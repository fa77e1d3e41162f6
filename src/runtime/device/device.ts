// An open GPU device with what the rest of the compiler must know about it: which adapter it is, its limits, how many
// bytes we allow ourselves, whether it still lives, and what takes its place when it does not. Devices that we opened and
// devices that a user brings are the same record afterwards, so nothing above this file distinguishes Node from a browser.
import { fail, PrefcError } from "../../core/error.ts";
import { lineOf, type AdapterInfo } from "./identity.ts";
import { requestedLimits } from "./limits.ts";
import { replaces } from "./lost.ts";
import { destroyQuietly, quietly } from "./quietly.ts";
import type { Tuning } from "../../schedule/tuning.ts";

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

const mostErrorsKept = 100;

/** What is known of the machine and from earlier measurements. */
export type Surroundings = Pick<Device, "byteBudget" | "cores" | "tuning">;

/** The record of a device that was opened on an adapter. */
export const watched = (
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
    replaces(next, lossReason ?? "no reason given");
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
