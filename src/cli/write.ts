// Writes the file that a command was asked for: beside its destination and then moved there, so that whoever reads it never meets
// half of it, and never over something that the command itself reads.

import { existsSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PrefcError } from "../core/error.ts";
import { cite, mention } from "../core/quote.ts";

/** Where a path leads in the end; null where nothing is there. */
function placeOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/**
 * Refuses an output that would overwrite an input. Inputs that are no files, such as the names of built-ins, count for nothing.
 * @throws PrefcError "output-is-input"
 */
export function refuseOverwriting(option: string, path: string, inputs: readonly string[]): void {
  const place = placeOf(path);
  // an objective may be one of several exports of a module
  const filesOf = (text: string): readonly string[] => [text, text.replace(/#[^#]*$/s, "")];
  const same = inputs.find(
    (text) => place !== null && filesOf(text).some((one) => placeOf(one) === place),
  );
  if (same === undefined) return;
  throw new PrefcError(
    "output-is-input",
    `--${option} ${mention(path)} is what the command reads as ${cite(same)}; give another file.`,
  );
}

/**
 * Writes a text to the file of --out.
 * @throws PrefcError "output-is-input", "emit-not-written"
 */
export function write(path: string, text: string, inputs: readonly string[] = []): void {
  refuseOverwriting("out", path, inputs);
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, text);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const folder = dirname(path);
    const reason = existsSync(folder)
      ? (error as Error).message.replaceAll(beside, path)
      : `there is no folder ${cite(folder)}`;
    throw new PrefcError(
      "emit-not-written",
      `--out ${mention(path)} could not be written (${reason}); give a file in a folder that you may write to.`,
      { cause: error },
    );
  }
}
