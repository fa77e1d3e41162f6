// Another commit of prefc, built in a temporary worktree beside this checkout with the packages that are installed here.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";

/** A folder, if it is a checkout of prefc. @throws PrefcError against-checkout */
export function checkoutAt(root: string): string {
  if (existsSync(join(root, ".git")) && existsSync(join(root, "package-lock.json"))) return root;
  throw new PrefcError(
    "against-checkout",
    "--against builds a commit of prefc, which needs a checkout of it; clone prefc and run this there, or compare files by --compare.",
  );
}

const saidBy = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: unknown; message?: unknown };
  const lines = String(stderr ?? message ?? error)
    .trim()
    .split("\n");
  return lines.findLast((line) => /error|fatal/i.test(line)) ?? lines.at(-1) ?? "";
};

export interface Built {
  readonly commit: string;
  readonly folder: string;
  readonly remove: () => void;
}

/** Builds a commit beside this checkout, with the packages that this one has installed. @throws PrefcError against-commit */
export function builtCommit(commit: string): Built {
  const root = checkoutAt(fileURLToPath(new URL("../../", import.meta.url)));
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
  let short: string;
  try {
    short = git("rev-parse", "--short", "--verify", "--end-of-options", `${commit}^{commit}`);
  } catch (error) {
    throw new PrefcError(
      "against-commit",
      `--against: there is no commit ${cite(commit)} here (${saidBy(error)}); name one that git log shows.`,
      { cause: error },
    );
  }
  const place = mkdtempSync(join(tmpdir(), "prefc-against-"));
  const folder = join(place, short);
  const remove = (): void => {
    rmSync(place, { recursive: true, force: true });
    try {
      git("worktree", "prune");
    } catch {
      // nothing is left that git would have to forget
    }
  };
  try {
    git("worktree", "add", "--detach", folder, short);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    execFileSync("npm", ["run", "--silent", "build"], { cwd: folder, stdio: "pipe" });
  } catch (error) {
    remove();
    throw new PrefcError(
      "against-commit",
      `--against: commit ${short} does not build with the packages that are installed here (${saidBy(error)}); run npm ci there, or choose another.`,
      { cause: error },
    );
  }
  return { commit: short, folder, remove };
}
