// The adapter of last resort: SwiftShader, a Vulkan driver for the CPU that an optional dependency carries for Linux x64.
// It needs no root, no system package and nothing in the environment: the archive is unpacked into a cache folder, its
// Vulkan loader is mapped into this process, and the driver's description is what the loader is then pointed at.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { brotliDecompressSync } from "node:zlib";
import { PrefcError } from "../../core/error.ts";
import { cacheRoots, digest, fillCache } from "./cache.ts";
import { filesInTar } from "./tar.ts";

const packageName = "@sparticuz/chromium";
const archiveName = join("bin", "swiftshader.tar.br");
const loaderName = "libvulkan.so.1";
const descriptionName = "vk_swiftshader_icd.json";
const driverFiles = [loaderName, "libvk_swiftshader.so", descriptionName] as const;
const largestUnpackedBytes = 64 * 2 ** 20;

/** glibc's RTLD_NODELETE: a library stays mapped even though Node closes what is not one of its own modules. */
const keepMapped = 0x1000;

/** Where the package that carries the adapter has it. Throws PrefcError "bundled-adapter-missing". */
export const locateArchive = (from: string = packageName): string => {
  let folder: string;
  try {
    folder = dirname(createRequire(import.meta.url).resolve(from));
  } catch (cause) {
    throw new PrefcError(
      "bundled-adapter-missing",
      `The bundled software adapter is not installed: the optional dependency ${from} is missing; run npm install without --omit=optional.`,
      { cause },
    );
  }
  while (!existsSync(join(folder, archiveName))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new PrefcError(
        "bundled-adapter-missing",
        `The bundled software adapter is not where it should be: ${from} has no ${archiveName}; install version 147.0.0 of it.`,
      );
    }
    folder = parent;
  }
  return join(folder, archiveName);
};

const unpack = (archive: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const tar = brotliDecompressSync(archive, { maxOutputLength: largestUnpackedBytes });
  const files = filesInTar(tar, driverFiles);
  const missing = driverFiles.filter((name) => !files.has(name));
  if (missing.length > 0) throw new Error(`the archive has no ${missing.join(", ")}`);
  return files;
};

/**
 * Unpacks SwiftShader below `root` and returns the folder, which has the archive's hash in its name. Files that
 * are already there are verified by size and SHA-256; changed ones are written again. Throws the file system's errors.
 */
export const unpackSwiftShader = (root: string): string => {
  const archive = readFileSync(locateArchive());
  const folder = join(root, `swiftshader-${digest(archive).slice(0, 16)}`);
  fillCache(folder, driverFiles, () => unpack(archive));
  return folder;
};

/** What the loader of libraries says of a folder from which nothing may be executed. */
const forbidden = /map segment|not permitted|denied/i;

/** What Node, Deno and Bun say of a library that they could map and that is no module of theirs. */
const noModule = /self-register|find register Node-API module|napi_register_module/;

// A runtime finds no module of its own in the library and says so; by then the library is mapped, which is all we want.
const mapLibrary = (path: string): void => {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, path, RTLD_NOW | RTLD_GLOBAL | keepMapped);
  } catch (error) {
    if (!(error instanceof Error) || !noModule.test(error.message)) throw error;
  }
};

/** Whether the process can map the library of that name (in the system's search path, or mapped already). */
export const canMapLibrary = (name: string): boolean => {
  try {
    mapLibrary(name);
    return true;
  } catch {
    return false;
  }
};

/**
 * Refuses to point the Vulkan loader at a driver from a worker thread, whose environment is a copy that the loader never
 * sees. Throws PrefcError "worker-thread".
 */
export const requireMainThread = (what: string, mainThread: boolean = isMainThread): void => {
  if (mainThread) return;
  throw new PrefcError(
    "worker-thread",
    `${what} can only be opened on the main thread, because a worker thread has a copy of the environment that the Vulkan loader does not read; call openDevice on the main thread or in a child process.`,
  );
};

/** Refuses what SwiftShader was not built for. Throws PrefcError "bundled-adapter-unsupported". */
export const requireLinux = (platform: string, machine: string): void => {
  if (platform === "linux" && machine === "x64") return;
  throw new PrefcError(
    "bundled-adapter-unsupported",
    `The bundled software adapter runs on Linux x64 only, and this is ${platform} ${machine}; install a GPU driver.`,
  );
};

/**
 * Maps the bundled Vulkan loader into this process and returns the path of SwiftShader's driver description, to be named
 * in VK_DRIVER_FILES while an instance connects. Takes about 130 ms the first time and 13 ms afterwards.
 *
 * Throws PrefcError: "worker-thread" off the main thread; "bundled-adapter-unsupported" elsewhere than on Linux x64;
 * "bundled-adapter-missing" when the optional dependency is not installed; "bundled-adapter-broken" when it could not be
 * unpacked or loaded from any cache folder.
 */
export const loadBundledDriver = (roots: readonly string[] = cacheRoots()): string => {
  requireMainThread("The bundled software adapter");
  requireLinux(process.platform, process.arch);
  const reasons: string[] = [];
  let isFolderAtFault = false;
  for (const root of roots) {
    let isUnpacked = false;
    try {
      const folder = unpackSwiftShader(root);
      isUnpacked = true;
      mapLibrary(join(folder, loaderName));
      return join(folder, descriptionName);
    } catch (error) {
      if (error instanceof PrefcError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      isFolderAtFault ||= !isUnpacked || forbidden.test(reason);
      reasons.push(`${root}: ${reason}`);
    }
  }
  const advice = isFolderAtFault
    ? "set XDG_CACHE_HOME to a folder that you own and that allows execution"
    : "install a Vulkan driver";
  throw new PrefcError(
    "bundled-adapter-broken",
    `The bundled software adapter could not be unpacked and loaded (${reasons.join("; ")}); ${advice}.`,
  );
};
