#!/usr/bin/env node
// The command `prefc`. Each subcommand is a file beside this one and returns its exit code; here are only the
// manners that all share: help, unknown names, errors in one line, and an orderly end.

import { readFileSync, writeSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { defineCommand, renderUsage, runCommand, type CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { checkArguments } from "./arguments.ts";
import { commandNamed, commands, neverSettled, takeSeveral } from "./commands.ts";
import { moduleEnded, ofModule } from "./blame.ts";
import { hasLeft, isTerminal, leave, print, printError, tolerateClosedPipes } from "./output.ts";
import { visible } from "../core/quote.ts";
import { applyTimeout, withTimeout } from "./timeout.ts";

const version = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  }
).version;

const root: CommandDef = defineCommand({
  meta: {
    name: "prefc",
    version,
    description: "One formula to float64 meaning, gradient and fused GPU kernels",
  },
  subCommands: { ...commands },
});

async function printUsage(command: CommandDef, parent?: CommandDef): Promise<void> {
  const text = await renderUsage(command, parent);
  print(isTerminal() ? text : stripVTControlCharacters(text));
}

const takesObjective = ({ args }: CommandDef): boolean =>
  args !== undefined && Object.hasOwn(args, "objective");

/** The catalogue is loaded only where it is shown. */
async function printBuiltIns(): Promise<void> {
  const { builtInNames } = await import("./objective.ts");
  print(["", "BUILT-IN OBJECTIVES", "", ...builtInNames().map((line) => `  ${line}`)].join("\n"));
}

const asksForHelp = (rawArgs: readonly string[]): boolean => {
  const end = rawArgs.indexOf("--");
  return (end < 0 ? rawArgs : rawArgs.slice(0, end)).some(
    (arg) => arg === "--help" || arg === "-h",
  );
};

/** Runs a command line and returns its exit code. */
async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    await printUsage(root);
    return 0;
  }
  if (name === "--version" || name === "-v") {
    print(version);
    return 0;
  }
  const command = withTimeout(await commandNamed(name)());
  if (asksForHelp(rest)) {
    await printUsage(command, root);
    if (takesObjective(command)) await printBuiltIns();
    return 0;
  }
  checkArguments(
    name,
    rest,
    (command.args ?? {}) as NonNullable<Parameters<typeof checkArguments>[2]>,
    takeSeveral.includes(name),
  );
  const { result } = await runCommand(command, { rawArgs: [...applyTimeout(rest)] });
  return typeof result === "number" ? result : 0;
}

const lineOf = ({ message }: PrefcError): string =>
  `prefc: ${visible(message.replaceAll(/\s*\n\s*/g, " "))}`;

/** A wrong input in one line; anything else is a bug of ours and shows where. */
async function fail(thrown: unknown): Promise<never> {
  const error = ofModule(thrown) ?? thrown;
  if (error instanceof PrefcError) printError(lineOf(error));
  else {
    const { stack, message } = error instanceof Error ? error : new Error(String(error));
    printError(`prefc: this should not happen, please report it: ${stack ?? message}`);
  }
  return await leave(1);
}

tolerateClosedPipes();
process.on("uncaughtException", (error) => void fail(error));
process.on("exit", (code) => {
  // above 128 a signal ended the process, which a loader in front of this one may turn into an exit
  if (hasLeft() || code > 128) return;
  writeSync(2, `${lineOf(moduleEnded())}\n`);
  process.exitCode = 1;
});
// nothing is left to run although the command has not ended: a promise that a module waits for can never settle
process.on("beforeExit", () => void fail(neverSettled()));
try {
  await leave(await main(process.argv.slice(2)));
} catch (error) {
  await fail(error);
}
