// Runs specs against mutants, each in a copy of the working tree, so that the checkout is never dirty.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mutated, type Mutant } from "./mutants.ts";
import { left, roundsOf } from "./suites.ts";

export type Verdict = "killed" | "timed out" | "survived";

const copied = ["src", "spec", "scripts", "package.json", "tsconfig.json", "vitest.config.ts"];

/** A working copy of the tree in a temporary folder. */
export interface Copy {
  readonly folder: string;
  readonly remove: () => void;
}

export function copyOf(root: string): Copy {
  const folder = mkdtempSync(join(tmpdir(), "prefc-mutate-"));
  // recorded runs are large, and no spec of these reads them
  const wanted = (path: string): boolean => !path.includes("spec/conformance/");
  for (const name of copied)
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: wanted });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Fewer cases than a run of the tests: what is wrong for one in a dozen is noticed all the same. */
const environment = { ...process.env, PREFC_RUNS: "40", FORCE_COLOR: "0" };

/** Runs specs in a copy; resolves to whether they pass, or to undefined after `limit` milliseconds. */
export function passes(
  folder: string,
  specs: readonly string[],
  limit: number,
): Promise<boolean | undefined> {
  const pattern = `^(?!.*(?:${left.join("|")}))`;
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const options = ["--bail", "1", "--no-isolate", "--maxWorkers", "1", "--reporter", "dot"];
  const args = [vitest, "run", ...options, "--testNamePattern", pattern, ...specs];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: environment,
      stdio: "ignore",
      detached: true,
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // the worker of vitest is a process of its own; both are in the child's group
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, limit);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(late ? undefined : code === 0);
    });
  });
}

/** What the specs say of one mutant. */
export async function judge(copy: Copy, mutant: Mutant, limit: number): Promise<Verdict> {
  const path = join(copy.folder, mutant.file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, mutated(text, mutant));
  try {
    for (const specs of roundsOf(mutant.file)!) {
      const passed = await passes(copy.folder, specs, limit);
      if (passed === undefined) return "timed out";
      if (!passed) return "killed";
    }
    return "survived";
  } finally {
    writeFileSync(path, text);
  }
}
