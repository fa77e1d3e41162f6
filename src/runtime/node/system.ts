// What Node knows about the machine: how much memory the process may use, which versions are installed, and which adapter
// the environment asks for.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, release, totalmem, version } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The adapter named by the environment variable PREFC_ADAPTER, or undefined when it is unset or empty. */
export const defaultAdapterName = (): string | undefined => {
  const name = process.env["PREFC_ADAPTER"];
  return name === undefined || name === "" ? undefined : name;
};

/** The bytes of memory this process may use: the machine's, or less where a container limits it. */
export const memoryBytes = (): number => {
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
};

/** Cores that this process may use. */
export const coreCount = (): number => availableParallelism();

const manifestAbove = (start: string, name: string): string | undefined => {
  for (let folder = start; ; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        readonly name?: string;
        readonly version?: string;
      };
      if (manifest.name === name) return manifest.version;
    } catch {
      // No manifest here: look one folder up.
    }
    if (dirname(folder) === folder) return undefined;
  }
};

const installed = (name: string): string => {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return manifestAbove(dirname(entry), name) ?? "unknown";
  } catch {
    return "not installed";
  }
};

/** The name a Linux distribution gives itself, or the kernel's version elsewhere. */
const operatingSystem = (): string => {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
    return name ?? version();
  } catch {
    return version();
  }
};

/** Names and versions that matter in a bug report, in the order in which to print them. */
export const versions = (): Readonly<Record<string, string>> => ({
  prefc: manifestAbove(dirname(fileURLToPath(import.meta.url)), "prefc") ?? "unknown",
  node: process.version,
  webgpu: installed("webgpu"),
  "@sparticuz/chromium": installed("@sparticuz/chromium"),
  platform: `${process.platform} ${arch()}`,
  "operating system": `${operatingSystem()} (${release()})`,
});
