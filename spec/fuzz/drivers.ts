// Opens the adapter for many small programs that run once, where nearly all the time goes into the driver's compiler and into
// waiting for it. Neither setting changes what is computed.
import { openDevice, type Device } from "../../src/index.ts";

/** Dawn asks whether anything has ended by setImmediate, again and again: a core that the driver's compiler could use. */
function askLessOften(): void {
  const later = (ask: (...given: unknown[]) => void, ...given: unknown[]): NodeJS.Timeout =>
    setTimeout(ask, 1, ...given);
  globalThis.setImmediate = later as unknown as typeof setImmediate;
}

/**
 * Opens a device. Lavapipe is told to compile for two lanes at a time instead of eight and not to optimise, which takes it
 * less than half the time; other drivers know neither variable.
 * @throws PrefcError what `openDevice` throws
 */
export async function openForMany(adapter?: string): Promise<Device> {
  // both are read when the driver is loaded
  process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "64";
  process.env["GALLIVM_PERF"] ??= "nopt";
  askLessOften();
  return await openDevice(adapter === undefined ? {} : { adapter });
}
