// The commands of `prefc` by name, and what is said of one that does not exist or does not end.

import type { CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import { cite } from "../core/quote.ts";

/** Loaded when they are asked for: a command pays only for what it uses. */
export const commands: Readonly<Record<string, () => Promise<CommandDef>>> = {
  env: async () => (await import("./env.ts")).default,
  check: async () => (await import("./check.ts")).default,
  explain: async () => (await import("./explain.ts")).default,
  tune: async () => (await import("./tune.ts")).default,
  emit: async () => (await import("./emit.ts")).default,
  bench: async () => (await import("./bench.ts")).default,
  audit: async () => (await import("./audit.ts")).default,
  plot: async () => (await import("./plot.ts")).default,
  report: async () => (await import("./report.ts")).default,
  conform: async () => (await import("./conform.ts")).default,
};

/** The commands that take several of their argument. */
export const takeSeveral: readonly string[] = ["bench", "plot"];

/** How to load a command. @throws PrefcError unknown-command */
export function commandNamed(name: string): () => Promise<CommandDef> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return load;
  const names = Object.keys(commands);
  throw new PrefcError(
    "unknown-command",
    `there is no command ${cite(name)}; the commands are ${names.join(", ")}.${didYouMean(name, names)}`,
  );
}

/** The end of a command that nothing is left to run for, although it has not ended. */
export const neverSettled = (): PrefcError =>
  new PrefcError(
    "never-settled",
    "the command waits for something that can never happen; does the module await a promise that nothing settles?",
  );
