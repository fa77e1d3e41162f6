// No wait is unbounded: a software adapter has no watchdog of its own, and a driver that hangs never settles a promise. A
// wait that exceeds its limit ends in a sentence that says what was waited for.
import { cite } from "../../core/quote.ts";
import { fail, PrefcError } from "../../core/error.ts";

/** The longest wait in milliseconds where nobody says otherwise: far beyond any run that makes sense. */
const defaultTimeoutMs = 120_000;

/**
 * The longest wait where a driver may be compiling shaders. On a busy machine that takes minutes, and it happens once; so
 * nobody gives up on it who did not say how long to wait.
 */
const firstTimeoutMs = 1_800_000;

/** What a command line gave for every wait of the process. */
let given: number | undefined;

/** Limits every wait that gives no limit of its own, compiling included. @throws PrefcError timeout-invalid */
export const limitEveryWait = (timeoutMs: number): void => {
  given = timeoutOf(timeoutMs);
};

/** Timers hold a limit of 31 bits and take anything longer for no time at all; this is 24 days. */
const longestTimeoutMs = 2 ** 31 - 1;

/** A limit that a user gives, or the default. Throws PrefcError "timeout-invalid". */
export const timeoutOf = (timeoutMs: number | undefined): number => {
  if (timeoutMs === undefined) return given ?? defaultTimeoutMs;
  if (typeof timeoutMs === "number" && timeoutMs > 0) return Math.min(timeoutMs, longestTimeoutMs);
  return fail(
    "timeout-invalid",
    `timeoutMs must be a number of milliseconds greater than 0, but it is ${cite(timeoutMs)}; leave it out for the default.`,
  );
};

/** The same for a wait in which a driver may compile shaders. @throws PrefcError timeout-invalid */
export const compilingTimeoutOf = (timeoutMs: number | undefined): number =>
  timeoutMs === undefined ? (given ?? firstTimeoutMs) : timeoutOf(timeoutMs);

/** The error of a wait that took too long. `during` completes "did not finish …", for example "reading the loss". */
export const timeoutError = (
  during: string,
  timeoutMs: number,
  where = "",
  compiles = false,
): PrefcError =>
  new PrefcError(
    "gpu-timeout",
    compiles
      ? `The driver did not finish ${during} within ${timeoutMs / 1000} s${where}; a smaller batch compiles no faster, so give a larger timeoutMs (--timeout), or let the machine do less beside it.`
      : `The GPU did not finish ${during} within ${timeoutMs / 1000} s${where}; use smaller batches, a faster adapter, or a larger timeoutMs.`,
  );

/**
 * The promise, unless it takes longer than the limit. What arrives later is handed to `abandon`, and a later failure is
 * dropped. Throws PrefcError "gpu-timeout"; other rejections pass through.
 */
export const within = async <T>(
  timeoutMs: number | undefined,
  during: string,
  promise: Promise<T>,
  abandon: (late: T) => void = () => undefined,
): Promise<T> => {
  const limit = timeoutOf(timeoutMs);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      promise.then(abandon, () => undefined);
      reject(timeoutError(during, limit));
    }, limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
