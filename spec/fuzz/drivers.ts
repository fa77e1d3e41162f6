// Opens the adapter for many small programs that run once, where nearly all the time goes into the driver's compiler and into
// waiting for it. No setting changes what is computed.
import { openDevice, type Device } from "../../src/index.ts";

/** Dawn asks whether anything has ended by setImmediate, again and again: a core that the driver's compiler could use. */
function askLessOften(): void {
  const later = (ask: (...given: unknown[]) => void, ...given: unknown[]): NodeJS.Timeout =>
    setTimeout(ask, 1, ...given);
  globalThis.setImmediate = later as unknown as typeof setImmediate;
}

/** A device keeps what was compiled for it, some megabytes for each program, so a new one is opened after so many. */
const perDevice = 50;

export interface Devices {
  /** The device for the next program. @throws PrefcError what `openDevice` throws */
  readonly next: () => Promise<Device>;
  readonly dispose: () => void;
}

/**
 * Devices of one adapter. Lavapipe is told to compile for two lanes at a time instead of eight and not to optimise, which
 * takes it less than half the time; other drivers know neither variable.
 */
export function devices(adapter?: string): Devices {
  // both are read when the driver is loaded
  process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "64";
  process.env["GALLIVM_PERF"] ??= "nopt";
  askLessOften();
  let current: Device | undefined;
  let used = 0;
  const dispose = (): void => {
    current?.dispose();
    current = undefined;
  };
  const next = async (): Promise<Device> => {
    if (used++ % perDevice === 0) dispose();
    return (current ??= await openDevice(adapter === undefined ? {} : { adapter }));
  };
  return { next, dispose };
}
