// Runs the command line as a user does: as a process of its own, from the sources.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const main = join(root, "src", "cli", "main.ts");

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}
export interface RunOptions {
  /** Closes the pipe after the first piece of output, as `head` does. */
  readonly closeEarly?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** `prefc` with arguments. Colours are off, whatever the terminal of the test run. */
export function prefc(
  args: readonly string[],
  { closeEarly = false, env = {} }: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, error]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out.push(text);
      if (closeEarly) child.stdout.destroy();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => error.push(text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out: out.join(""), error: error.join("") }));
  });
}

/** The lines of our own on the error output; drivers have their say there too. */
export const complaints = ({ error }: Finished): readonly string[] =>
  error.split("\n").filter((line) => line.startsWith("prefc: "));

/** A folder outside the project with files in it, as users have them; `remove` deletes it. */
export function folder(files: Readonly<Record<string, string>>): {
  readonly path: (name: string) => string;
  readonly remove: () => void;
} {
  const place = mkdtempSync(join(tmpdir(), "prefc-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  return { path: (name) => join(place, name), remove: () => rmSync(place, { recursive: true }) };
}
