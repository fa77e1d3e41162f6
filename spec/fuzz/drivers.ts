// Opens the adapter for many small programs that run once, where nearly all the time goes into the driver's compiler and into
// waiting for it. No setting changes what is computed.
import { openDevice, type Device } from "../../src/index.ts";

const immediately = globalThis.setImmediate;
/** Searches that have not ended. */
let searches = 0;

/** Dawn asks whether anything has ended by setImmediate, again and again: a core that the driver's compiler could use. */
function askLessOften(): void {
  searches++;
  const later = (ask: (...given: unknown[]) => void, ...given: unknown[]): NodeJS.Timeout =>
    setTimeout(ask, 1, ...given);
  globalThis.setImmediate = later as unknown as typeof setImmediate;
}

/** Drivers hold on to some of what they compiled, so a new device is opened after so many programs. */
const perDevice = 50;

export interface Devices {
  /** The device for the next program. @throws PrefcError what `openDevice` throws */
  readonly next: () => Promise<Device>;
  readonly dispose: () => void;
}

/**
 * Devices of one adapter, for one search. Lavapipe is told to compile for two lanes at a time instead of eight and not to optimise, which
 * takes it less than half the time; other drivers know none of the variables.
 */
export function devices(adapter?: string): Devices {
  // all are read when the driver is loaded
  process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "64";
  process.env["GALLIVM_PERF"] ??= "nopt";
  // Mesa writes what it compiled when the process ends, with the lowest priority, and nothing of this is needed again
  process.env["MESA_SHADER_CACHE_DISABLE"] ??= "true";
  askLessOften();
  let current: Device | undefined;
  let used = 0;
  const dispose = (): void => {
    current?.dispose();
    current = undefined;
  };
  const end = (): void => {
    dispose();
    if (--searches === 0) globalThis.setImmediate = immediately;
  };
  const next = async (): Promise<Device> => {
    if (used++ % perDevice === 0) dispose();
    return (current ??= await openDevice(adapter === undefined ? {} : { adapter }));
  };
  return { next, dispose: end };
}
