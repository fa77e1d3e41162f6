// What peers need before they start: their packages, which the product does not depend on, and the batch as files that any
// language can read.

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const peersFolder: string = fileURLToPath(new URL("peers/", import.meta.url));

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifest = (folder: string): Manifest | null => {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return null;
  }
};

/** Whether every package is there in the version that is pinned. */
export function packagesInstalled(folder: string): boolean {
  return Object.entries(manifest(folder)?.dependencies ?? {}).every(
    ([name, version]) => manifest(join(folder, "node_modules", name))?.version === version,
  );
}

/** Installs the peers' packages where they are missing; gives a sentence when that failed. */
export function installPackages(folder: string = peersFolder): string | null {
  if (packagesInstalled(folder)) return null;
  process.stderr.write(`installing the packages of bench/peers\n`);
  try {
    execFileSync("npm", ["ci", "--ignore-scripts", "--loglevel=error"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    return `its packages are missing; run "npm ci" in bench/peers (${why})`;
  }
}

/** A batch as peers see it: chosen responses first, then rejected ones, each of as many tokens. */
export interface PeerBatch {
  readonly rows: number;
  readonly vocab: number;
  readonly labels: Uint32Array;
  /** Logits of `count` rows from row `first`. */
  readonly logits: (model: "policy" | "ref", first: number, count: number) => Float32Array;
}

/** Writes policy.f32, reference.f32 and labels.u32 into a folder of its own, in parts; `remove` deletes it. */
export function writeBatch(
  { rows, vocab, labels, logits }: PeerBatch,
  partBytes: number = 2 ** 26,
): {
  readonly folder: string;
  readonly remove: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), "prefc-peers-"));
  const write = (name: string, parts: Iterable<Float32Array | Uint32Array>): void => {
    const file = openSync(join(folder, name), "w");
    for (const part of parts) writeSync(file, part);
    closeSync(file);
  };
  const step = Math.max(1, Math.floor(partBytes / (4 * vocab)));
  const parts = function* (model: "policy" | "ref"): Generator<Float32Array> {
    for (let first = 0; first < rows; first += step)
      yield logits(model, first, Math.min(step, rows - first));
  };
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  // an interrupted run leaves hundreds of megabytes otherwise
  process.once("exit", removeFolder);
  const remove = (): void => {
    process.off("exit", removeFolder);
    removeFolder();
  };
  try {
    write("policy.f32", parts("policy"));
    write("reference.f32", parts("ref"));
    write("labels.u32", [labels]);
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}
