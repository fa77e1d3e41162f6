// `--timeout SECONDS`, which every command takes: the longest wait for a driver, for its compiler as for a run. Without it a first
// compile is waited for as long as a busy machine may need.

import type { ArgsDef, CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { limitEveryWait } from "../runtime/device/deadline.ts";

const timeout = {
  type: "string",
  description: "the longest wait for a driver, its compiler included",
  valueHint: "seconds",
} as const;

/** The command with the option beside its own. */
export const withTimeout = (command: CommandDef): CommandDef => ({
  ...command,
  args: { ...(command.args as ArgsDef | undefined), timeout },
});

/** Applies the option and returns the arguments without it. @throws PrefcError option-value */
export function applyTimeout(rawArgs: readonly string[]): readonly string[] {
  const kept: string[] = [];
  const end = rawArgs.includes("--") ? rawArgs.indexOf("--") : rawArgs.length;
  for (let position = 0; position < rawArgs.length; position++) {
    const text = rawArgs[position]!;
    const match = position < end ? /^--?timeout(?:=([^]*))?$/.exec(text) : null;
    if (match === null) {
      kept.push(text);
      continue;
    }
    const value = match[1] ?? rawArgs[++position] ?? "";
    const seconds = value.trim() === "" ? NaN : Number(value);
    if (!(seconds > 0)) {
      throw new PrefcError(
        "option-value",
        `--timeout is ${cite(value)}; give a number of seconds above 0.`,
      );
    }
    limitEveryWait(1000 * seconds);
  }
  return kept;
}
