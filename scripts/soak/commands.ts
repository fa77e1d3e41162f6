// Cold starts of the command line as it is installed: each is a process that opens an adapter from nothing and has to end by
// itself, with exit status 0 and by no signal.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const commandLine: string = fileURLToPath(
  new URL("../../dist/cli/main.js", import.meta.url),
);

/** A start that takes longer hangs. */
const limitMs = 300_000;

/** In turn; half of them also build shaders or none at all. */
const commands = [
  ["env"],
  ["check", "sft", "--batches", "1"],
  ["env", "--json"],
  ["explain", "dpo"],
] as const;

/** Runs one command; resolves to what was wrong with its end, or null. */
export function coldStart(
  adapter: string,
  number: number,
  main: readonly string[] = [commandLine],
): Promise<string | null> {
  const args = commands[number % commands.length]!;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...main, ...args], {
      env: { ...process.env, PREFC_ADAPTER: adapter, NO_COLOR: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, limitMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const command = `start ${number}, prefc ${args.join(" ")},`;
      const last = said.join("").trimEnd().split("\n").at(-1) ?? "";
      if (late) resolve(`${command} did not end within ${limitMs / 1000} s`);
      else if (signal !== null) resolve(`${command} ended by ${signal}: ${last}`);
      else resolve(code === 0 ? null : `${command} ended with exit status ${code}: ${last}`);
    });
  });
}
