// How a benchmark ends early without losing what it measured: a file that cannot be written is refused before anything is
// measured, and an interrupt (Ctrl-C, or SIGTERM) tells what there is, removes temporary files and leaves.

import { closeSync, openSync } from "node:fs";
import { PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";

/** @throws PrefcError option-value for the first file that cannot be written; undefined is none */
export function refuseUnwritable(files: Readonly<Record<string, string | undefined>>): void {
  for (const [option, path] of Object.entries(files)) {
    if (path === undefined) continue;
    try {
      closeSync(openSync(path, "a"));
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new PrefcError(
        "option-value",
        `--${option}: ${cite(path)} cannot be written (${why}); name a file in a folder that exists.`,
        { cause: error },
      );
    }
  }
}

const interrupted = 130;

/** `tell` writes what there is and says where it is. What must be removed listens to the exit of the process. */
export function onInterrupt(tell: () => string): void {
  let isEnding = false;
  // a terminal and npm may both send the signal: the second must not cut the first short
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    process.stderr.write(`\nbench: interrupted; ${tell()}.\n`);
    process.exit(interrupted);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}
