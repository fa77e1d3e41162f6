// What a lost device means to whoever works with it: the sentence, the check before a call that would silently do nothing,
// and the moment that a failure waits to learn whether a loss is behind it.
import { PrefcError } from "../../core/error.ts";
import type { Device } from "./device.ts";

/** The error for a lost device. `during` completes "while …", for example "reading the loss". */
export const deviceLostError = (device: Device, during: string): PrefcError =>
  device.isDisposed()
    ? new PrefcError(
        "used-after-dispose",
        `The GPU device ${device.line} was disposed of while ${during}; open a new device with openDevice() and run again.`,
      )
    : new PrefcError(
        "device-lost",
        `The GPU device ${device.line} was lost while ${during} (${device.lossReason() ?? "no reason given"}); open a new device with openDevice() and run again.`,
      );

/** Throws PrefcError "device-lost" when the device is gone; calls to it would otherwise silently do nothing. */
export const requireAlive = (device: Device, during: string): void => {
  if (device.isLost() || device.isDisposed()) throw deviceLostError(device, during);
};

/** What a lost device rejects may come before the loss itself is reported, so a failure waits a moment for it. */
const graceMs = 50;

/** Whether a failure that has just been seen is a loss of the device. */
export const lossNoticed = async (device: Device): Promise<boolean> => {
  if (!device.isLost()) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        forget();
        resolve();
      }, graceMs);
      const forget = device.whenLost(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return device.isLost();
};

/** Why the devices were lost that others took the place of. */
const replaced = new WeakMap<GPUDevice, string>();

/** Keeps in mind that a device took the place of one that was lost. */
export const replaces = (next: Device, reason: string): void => {
  replaced.set(next.gpu, reason);
};

/** Why the device was lost that this one took the place of; undefined where it took none. */
export const replacedReason = ({ gpu }: Device): string | undefined => replaced.get(gpu);
