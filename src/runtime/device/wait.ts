// Waiting for the GPU. Three things make waiting more than an await: while a promise from
// Dawn is pending the event loop polls and takes a core from a software adapter, so we sleep through most of the expected
// time first; a lost device must end a wait with a sentence and never hang it; and no wait is unbounded.
import { PrefcError } from "../../core/error.ts";
import { deviceLostError, lossNoticed, requireAlive } from "./lost.ts";
import { compilingTimeoutOf, timeoutError, timeoutOf } from "./deadline.ts";
import type { Device } from "./device.ts";

/** Options of a wait. */
export interface WaitOptions {
  /** What is being waited for; waits of one key are expected to take about as long as the last. Default: no sleep. */
  readonly key?: string;
  /** How much work is waited for, in any unit: less than last time is expected to take less time. 1. */
  readonly work?: number;
  /** Sleep past the expected end, so that polling takes no core from what is being measured. */
  readonly throughout?: boolean;
  /**
   * What a driver may be compiling meanwhile, which completes "did not finish …". It is waited for longer where no limit is
   * given, and the sentence of a wait that is over says it.
   */
  readonly compiling?: string | undefined;
  /** The longest wait in milliseconds, 120,000 by default; a software adapter has no watchdog of its own. */
  readonly timeoutMs?: number;
}

/** Of the last duration, how much to sleep through: the rest is room for work that became faster. */
const sleptShare = 0.9;

/** The same for measurements, which may end late but not be disturbed. */
const sleptThroughout = 1.15;

/** What an expectation shrinks to when the work was done before we woke; halving it would have the next wait poll for long. */
const shrink = 0.95;

/** Timers are good to about a millisecond, so shorter sleeps only add latency. */
const shortestSleepMs = 2;

/** Measurements sleep at least so long: polled, a kernel of a millisecond took two, as a software adapter had one core less. */
const leastThroughoutMs = 4;

/** A wait that ends sooner than this after the sleep was slept through: the work is faster than expected. */
const oversleptMs = 0.5;

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

interface Waited {
  readonly duration: number;
  readonly work: number;
}

/** The last two waits of each key: the first run of a shader is not typical, so one is not enough to go by. */
const durations = new WeakMap<GPUDevice, Map<string, readonly Waited[]>>();

const durationsOf = (device: Device): Map<string, readonly Waited[]> => {
  let known = durations.get(device.gpu);
  if (known === undefined) durations.set(device.gpu, (known = new Map()));
  return known;
};

// Rejects when the device is lost or the time is over; `stop` takes both back.
const guard = (
  device: Device,
  during: string,
  timeoutMs: number,
  compiling: string | undefined,
): { readonly broken: Promise<never>; readonly stop: () => void } => {
  let stop = (): void => undefined;
  const broken = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      const where = ` on ${device.line}`;
      reject(timeoutError(compiling ?? during, timeoutMs, where, compiling !== undefined));
    }, timeoutMs);
    const forget = device.whenLost(() => reject(deviceLostError(device, during)));
    stop = () => {
      clearTimeout(timer);
      forget();
    };
  });
  return { broken, stop };
};

/**
 * Waits for submitted work: sleeps about as long as the last two waits of the same key took, and only then calls `begin`, whose
 * promise (of mapAsync or onSubmittedWorkDone, say) makes the event loop poll. `during` is for messages: "reading the
 * loss". Throws PrefcError "device-lost" when the device is lost before the promise settles and "gpu-timeout" when it does
 * not settle in time; other rejections pass through.
 */
export const sleepThenAwait = async <T>(
  device: Device,
  during: string,
  begin: () => Promise<T>,
  { key, work = 1, throughout = false, compiling, timeoutMs }: WaitOptions = {},
): Promise<T> => {
  requireAlive(device, during);
  const known = durationsOf(device);
  const started = performance.now();
  const { broken, stop } = guard(
    device,
    during,
    compiling === undefined ? timeoutOf(timeoutMs) : compilingTimeoutOf(timeoutMs),
    compiling,
  );
  try {
    const [last, beforeLast] = (key === undefined ? undefined : known.get(key)) ?? [];
    // more work than before may still be dominated by what it costs to start it, so only less of it is scaled
    const scaled = ({ duration, work: done }: Waited): number =>
      duration * Math.min(1, work / done);
    const expected = beforeLast === undefined ? 0 : Math.min(scaled(last!), scaled(beforeLast));
    const asleep = throughout
      ? Math.max(sleptThroughout * expected, leastThroughoutMs)
      : sleptShare * expected;
    const sleeps = asleep >= shortestSleepMs;
    if (sleeps) await Promise.race([sleep(asleep), broken]);
    const woken = performance.now();
    const result = await Promise.race([begin(), broken]);
    requireAlive(device, during);
    if (key !== undefined) {
      const overslept = sleeps && performance.now() - woken < oversleptMs;
      const duration = overslept ? shrink * expected : performance.now() - started;
      const now = { duration, work };
      known.set(key, last === undefined ? [now] : [now, last]);
    }
    return result;
  } catch (error) {
    if (error instanceof PrefcError) throw error;
    // A lost device rejects a pending map with an AbortError without a message, sometimes before it reports the loss.
    if (error instanceof Error && error.name === "AbortError") {
      if (await lossNoticed(device)) throw deviceLostError(device, during);
      throw new PrefcError(
        "gpu-aborted",
        `The GPU gave up ${during} on ${device.line}; a buffer was destroyed or unmapped while it was being read.`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    stop();
  }
};

/** Waits until everything submitted so far has run. Throws as `sleepThenAwait` does. */
export const finished = (device: Device, during: string, options?: WaitOptions): Promise<void> =>
  sleepThenAwait(
    device,
    during,
    async () => {
      await device.gpu.queue.onSubmittedWorkDone();
    },
    options,
  );
