// What a user's module did wrong, in one sentence, whatever it threw and whenever: while it was loaded, or afterwards from a
// timer or a promise that it left behind.

import { basename } from "node:path";
import { PrefcError } from "../core/error.ts";
import { cite, mention, visible } from "../core/quote.ts";
import { endAfter } from "./watchdog.ts";

/** The module that a command has loaded, as the user named it and where it lies. */
let module: { readonly path: string; readonly file: string } | null = null;

/** Remembers which module runs from now on. */
export function blame(path: string, file: string): void {
  module = { path, file };
}

interface Told {
  readonly message: string;
  readonly stack: string;
}

/** What a thrown value says; it may be anything, even something that throws when it is looked at. */
function told(error: unknown): Told {
  try {
    if (error instanceof Error) {
      const { message, stack = "" }: { message: unknown; stack?: unknown } = error;
      const text = String(message);
      return {
        message: text === "" ? "it threw an error without a message" : text,
        stack: String(stack),
      };
    }
    return { message: typeof error === "string" ? error : `it threw ${cite(error)}`, stack: "" };
  } catch {
    return { message: "it threw something that cannot be shown", stack: "" };
  }
}

/** One sentence for whatever went wrong while a module was read or run. */
export function explained(path: string, file: string, error: unknown): PrefcError {
  if (error instanceof PrefcError && ownCodes.has(error.code)) return error;
  const { message, stack } = told(error);
  const parse = /:(\d+):(\d+): ERROR: ([^\n]+)/.exec(message);
  if (parse !== null) {
    return new PrefcError(
      "module-syntax",
      `${mention(path)} does not parse; correct line ${parse[1]}, column ${parse[2]}: ${parse[3]}.`,
      { cause: error },
    );
  }
  const frame = stack.split("\n").find((line) => line.includes(basename(file)));
  const place = frame === undefined ? null : /:(\d+)(?::\d+)?\)?$/.exec(frame);
  const [first = ""] = message.slice(0, mostShown).split("\n");
  return new PrefcError(
    "module-failed",
    `${mention(path)} could not be loaded; correct ${place === null ? "it" : `line ${place[1]}`}: ${first.replace(/\.$/, "")}.`,
    { cause: error },
  );
}

const mostShown = 1000;
const ownCodes: ReadonlySet<string> = new Set(["module-takes-too-long"]);

/** The sentence for an error that comes from the module that runs; null for one of our own. */
export function ofModule(error: unknown): PrefcError | null {
  if (module === null || error instanceof PrefcError) return null;
  const { stack } = told(error);
  // what is no error was not thrown by us
  const own = stack === "" || stack.includes(basename(module.file));
  return own ? explained(module.path, module.file, error) : null;
}

/** The end of a process that a module has ended, with nothing said. */
export const moduleEnded = (): PrefcError =>
  new PrefcError(
    "module-ended-process",
    `${module === null ? "The command" : mention(module.path)} ended the process before the command was done; remove the call of process.exit.`,
  );

/** Seconds that a module may take to load, if PREFC_LOAD_SECONDS does not say otherwise. */
const usual = 60;

export function secondsAllowed(
  given: string | undefined = process.env["PREFC_LOAD_SECONDS"],
): number {
  const seconds = Number(given ?? usual);
  return Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400 ? seconds : usual;
}

/**
 * What loading a module gives. A module that never gives way ends the process.
 * @throws PrefcError "module-takes-too-long"
 */
export async function inTime<T>(path: string, load: () => Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = (what: string): string =>
    `${mention(path)} was not loaded after ${seconds} seconds; look for ${what}, or set PREFC_LOAD_SECONDS.`;
  // a second later than the timer, which needs a turn of this thread
  const unwatch = endAfter(seconds + 1, visible(`prefc: ${late("a loop that never ends")}`));
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PrefcError("module-takes-too-long", late("an await that waits for too long")));
    }, seconds * 1000);
    // where nothing else is left to run, nothing can settle, and that has a sentence of its own
    timer.unref();
  });
  try {
    return await Promise.race([load(), tooLong]);
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}
