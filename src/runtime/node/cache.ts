// A cache folder of files that will be loaded into the process, and therefore must be exactly what was put there. A
// manifest records the size and SHA-256 of each file; every start checks all of them, and whatever differs is written
// again. Each file is replaced by an atomic rename of a finished copy, so that processes that build or repair the same
// folder at the same time never see a missing or half-written file.
import { createHash, randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/** A file of the cache: its name in the folder, its length in bytes and the SHA-256 of its content in hexadecimal. */
export type Entry = { readonly name: string; readonly size: number; readonly sha256: string };

const manifestName = "manifest.json";

/** SHA-256 in hexadecimal. */
export const digest = (content: Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

const isEntry = (value: unknown): value is Entry => {
  const entry = value as Partial<Entry> | null;
  return (
    typeof entry === "object" &&
    typeof entry?.name === "string" &&
    typeof entry.size === "number" &&
    typeof entry.sha256 === "string"
  );
};

const readManifest = (folder: string): readonly Entry[] => {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, manifestName), "utf8"));
    return Array.isArray(manifest) ? manifest.filter(isEntry) : [];
  } catch {
    return [];
  }
};

const intact = (folder: string, entry: Entry): boolean => {
  const path = join(folder, entry.name);
  try {
    const status = lstatSync(path);
    return (
      status.isFile() && status.size === entry.size && digest(readFileSync(path)) === entry.sha256
    );
  } catch {
    return false;
  }
};

/** Whether the folder's manifest names every wanted file and each of them is unchanged since it was recorded. */
export const isIntact = (folder: string, wanted: readonly string[]): boolean => {
  const manifest = readManifest(folder);
  return wanted.every((name) => {
    const entry = manifest.find((candidate) => candidate.name === name);
    return entry !== undefined && intact(folder, entry);
  });
};

// Files loaded as code must not be writable by others; in a shared temporary folder somebody else may have made ours.
const claim = (folder: string): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  const owner = process.getuid?.();
  if (!status.isDirectory() || (owner !== undefined && status.uid !== owner)) {
    throw new Error(`${folder} is not a folder of the current user`);
  }
  if (owner !== undefined && (status.mode & 0o022) !== 0) {
    throw new Error(`${folder} is writable by other users`);
  }
};

const replace = (folder: string, name: string, content: Uint8Array): void => {
  const unfinished = join(folder, `${name}.${randomUUID()}`);
  try {
    writeFileSync(unfinished, content, { mode: 0o700, flag: "wx" });
    renameSync(unfinished, join(folder, name));
  } finally {
    rmSync(unfinished, { force: true });
  }
};

/**
 * Makes `folder` hold exactly the given files, and returns whether anything had to be written. The contents are asked for
 * only when something is missing or changed. Throws the file system's errors, and an error when the folder belongs to
 * another user or others may write to it.
 */
export const fillCache = (
  folder: string,
  wanted: readonly string[],
  contents: () => ReadonlyMap<string, Uint8Array>,
): boolean => {
  claim(dirname(folder));
  claim(folder);
  if (isIntact(folder, wanted)) return false;
  const manifest: Entry[] = [];
  for (const [name, content] of contents()) {
    const entry = { name, size: content.length, sha256: digest(content) };
    manifest.push(entry);
    if (!intact(folder, entry)) replace(folder, name, content);
  }
  replace(folder, manifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  if (!isIntact(folder, wanted)) {
    throw new Error(`${folder} does not hold what was just written to it`);
  }
  return true;
};

const ownName = (): string => String(process.getuid?.() ?? userInfo().username);

/**
 * Folders where a cache may live, best first: `$XDG_CACHE_HOME/prefc` (when absolute, as its specification asks) or
 * `~/.cache/prefc`, then a folder of this user's own under the temporary folder, for a home that cannot be written.
 */
export const cacheRoots = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] => {
  const configured = environment["XDG_CACHE_HOME"];
  const home = homedir();
  const base =
    configured !== undefined && isAbsolute(configured)
      ? configured
      : isAbsolute(home)
        ? join(home, ".cache")
        : undefined;
  return [
    ...(base === undefined ? [] : [join(base, "prefc")]),
    join(tmpdir(), `prefc-${ownName()}`),
  ];
};
