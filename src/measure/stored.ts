// Measured rates of adapters, kept in the user's cache folder from run to run: one file, an entry for each adapter by its
// line. A file that cannot be read or does not hold what it should counts as empty.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { parseJson } from "../core/json.ts";
import { cacheRoots } from "../runtime/node/cache.ts";

/** How fast an adapter moves memory, in 10^9 bytes a second; a copied byte counts twice, read and written. */
export interface StoredRates {
  readonly read_gb_s: number;
  readonly copy_gb_s: number;
  /** Size of the buffer that was read or copied. */
  readonly bytes: number;
  readonly clock: "gpu" | "wall";
  /** When, in ISO 8601. */
  readonly measured: string;
}
export interface AdapterRates extends StoredRates {
  /** The adapter's line. */
  readonly adapter: string;
}

const fileName = "ceilings.json";

const isPositive = (value: unknown): boolean =>
  typeof value === "number" && Number.isFinite(value) && value > 0;

function isStored(value: unknown): value is StoredRates {
  const rates = value as Partial<StoredRates> | null;
  return (
    typeof rates === "object" &&
    isPositive(rates?.read_gb_s) &&
    isPositive(rates?.copy_gb_s) &&
    typeof rates?.measured === "string"
  );
}

function entriesIn(folder: string): readonly (readonly [adapter: string, rates: StoredRates])[] {
  try {
    const all = parseJson(readFileSync(join(folder, fileName), "utf8"), fileName);
    if (typeof all !== "object" || all === null) return [];
    return Object.entries(all).flatMap(([adapter, rates]: [string, unknown]) =>
      isStored(rates) ? [[adapter, rates] as const] : [],
    );
  } catch {
    return [];
  }
}

/** The rates of an adapter; without one, those of the adapter that was measured last. Null when there are none. */
export function storedRates(
  adapter: string | null,
  folders: readonly string[] = cacheRoots(),
): AdapterRates | null {
  const all = folders.flatMap((folder) =>
    entriesIn(folder).map(([name, rates]) => ({ adapter: name, ...rates })),
  );
  const wanted = adapter === null ? all : all.filter((rates) => rates.adapter === adapter);
  return wanted.toSorted((a, b) => b.measured.localeCompare(a.measured))[0] ?? null;
}

/** Leaves no half of a file behind; where its folder is none, there is nothing to leave. */
function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // the next folder is tried in any case
  }
}

/** Keeps the rates of an adapter, and returns where: the first folder that can be written; null when none can. */
export function storeRates(
  adapter: string,
  rates: StoredRates,
  folders: readonly string[] = cacheRoots(),
): string | null {
  for (const folder of folders) {
    const unfinished = join(folder, `${fileName}.${randomUUID()}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const all = { ...Object.fromEntries(entriesIn(folder)), [adapter]: rates };
      writeFileSync(unfinished, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600, flag: "wx" });
      renameSync(unfinished, join(folder, fileName));
      return join(folder, fileName);
    } catch {
      removed(unfinished);
    }
  }
  return null;
}
