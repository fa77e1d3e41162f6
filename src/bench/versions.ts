// The versions and the commit that a measurement depends on.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

export function environmentVersions(): Readonly<Record<string, string>> {
  const version = (path: string): string => (require(path) as { version: string }).version;
  return {
    prefc: version("../../package.json"),
    node: process.version,
    webgpu: version("webgpu/package.json"),
  };
}

/** The commit, with a plus where files differ from it; "unknown" where the package is no checkout. */
export function commitOf(): string {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  // a project that uses the package may be a checkout of its own
  if (!existsSync(join(root, ".git"))) return "unknown";
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", root, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const commit = git("rev-parse", "--short", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+`;
  } catch {
    return "unknown";
  }
}
