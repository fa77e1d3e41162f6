// Where the table of schedules lies: PREFC_TUNING, or tuning.json in the folder of caches. It is replaced as a whole by an
// atomic rename, so that a process that reads it while it is written, or an interrupted one, never leaves half a table.
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseTable, tuningOf, untuned, type Table, type Tuning } from "../../schedule/tuning.ts";
import { cacheRoots } from "./cache.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** PREFC_TUNING=off: schedules are chosen as if nothing had been measured. */
const off = "off";

/** The path of the table, best first; none where tables are switched off. */
export function tablePaths(environment: Environment = process.env): readonly string[] {
  const given = environment["PREFC_TUNING"];
  if (given === off) return [];
  if (given !== undefined && given !== "") return [given];
  return cacheRoots(environment).map((root) => join(root, "tuning.json"));
}

const missing = new Set(["ENOENT", "ENOTDIR"]);

/** The table at a path; null where there is none, and one sentence where it cannot be used. */
export function readTable(path: string): Table | string | null {
  try {
    return parseTable(readFileSync(path, "utf8"), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined && missing.has(code)) return null;
    return `The table of schedules ${path} cannot be read (${message}), so it is ignored.`;
  }
}

/** The first table of some paths, and where it lies; null where there is none. */
export function findTable(
  paths: readonly string[],
): { readonly path: string; readonly table: Table | string } | null {
  for (const path of paths) {
    const table = readTable(path);
    if (table !== null) return { path, table };
  }
  return null;
}

const warned = new Set<string>();

/** Tells on the error output, once in a process, that a table cannot be used: runs are right without it, but slower. */
export function warnOnce(problem: string): void {
  if (warned.has(problem)) return;
  warned.add(problem);
  process.emitWarning(problem, "PrefcWarning");
}

/** What was measured for an adapter. A table that cannot be used is warned of and ignored. */
export function readTuning(adapter: string, paths: readonly string[] = tablePaths()): Tuning {
  const found = findTable(paths);
  if (found === null) return untuned;
  if (typeof found.table === "string") warnOnce(found.table);
  return tuningOf(found.table, adapter, found.path);
}

/** Writes a table to the first path that can be written, and returns that path. Throws the file system's last error. */
export function writeTable(table: Table, paths: readonly string[] = tablePaths()): string {
  let last: unknown = new Error("there is no path to write to");
  for (const path of paths) {
    const unfinished = `${path}.${randomUUID()}`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(unfinished, `${JSON.stringify(table, null, 2)}\n`, { flag: "wx" });
      renameSync(unfinished, path);
      return path;
    } catch (error) {
      last = error;
    } finally {
      rmSync(unfinished, { force: true });
    }
  }
  throw last;
}
