// Writing to the terminal and leaving. Dawn keeps threads alive, so a command ends by an explicit exit, after
// everything written has been handed over. A reader that stops early (`| head`) is no error.

import { visible } from "../core/quote.ts";

let left = false;

/** Whether the command itself has ended the process. */
export const hasLeft = (): boolean => left;

/** Ends quietly when whoever reads the output has gone. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      left = true;
      process.exit(0);
    });
  }
}

/** Writes a text and a line break to the standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a line, whatever stands in it. */
export const printLine = (text: string): void => print(visible(text.replaceAll(/\s*\n\s*/g, " ")));

/** Writes data as JSON, in which nothing is invisible and no reader finds a line break inside a string. */
export function printJson(data: unknown, indent?: number): void {
  print(JSON.stringify(data, null, indent).split("\n").map(visible).join("\n"));
}

/** Writes a text and a line break to the error output. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write("", () => resolve());
  });

/** Leaves with an exit code once everything is written. */
export async function leave(code: number): Promise<never> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  left = true;
  return process.exit(code);
}

/** Whether the output is read by a person, who may like colours. */
export const isTerminal = (): boolean =>
  process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
