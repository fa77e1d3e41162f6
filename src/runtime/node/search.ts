// Where adapters are found outside a browser: among the system's drivers, then (on Linux) lavapipe through its own driver
// description, then the bundled SwiftShader. Dawn looks for hardware in an instance's first plain request only, so each
// search begins with one.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PrefcError } from "../../core/error.ts";
import type { Place } from "../device/adapter.ts";
import { canMapLibrary, loadBundledDriver, requireMainThread } from "./bundled.ts";
import { adapterOf } from "./instance.ts";

const vulkanLoader = "libvulkan.so.1";

let systemLoader: boolean | undefined;

// Without a loader Dawn finds nothing on Linux and complains on standard error, so it is not asked. The question is put
// once, before the bundled loader is mapped: afterwards that one would answer, and it knows no driver of the system.
const hasDrivers = (): boolean =>
  (systemLoader ??= process.platform !== "linux" || canMapLibrary(vulkanLoader));

const systemAdapter = async (): Promise<GPUAdapter | null> =>
  hasDrivers()
    ? await adapterOf("system", undefined, { powerPreference: "high-performance" })
    : null;

const machineNames: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The folders in which the Vulkan loader looks for driver descriptions, by its own documentation. */
const descriptionFolders = (): readonly string[] => {
  const data = process.env["XDG_DATA_DIRS"] ?? "";
  const roots = ["/etc", ...(data === "" ? "/usr/local/share:/usr/share" : data).split(":")];
  return roots.map((root) => join(root, "vulkan", "icd.d"));
};

/** The path of lavapipe's driver description for this machine, or undefined when the system has none. */
export const lavapipeDescription = (
  folders: readonly string[] = descriptionFolders(),
): string | undefined => {
  const machine = machineNames[process.arch] ?? process.arch;
  const names = [`lvp_icd.${machine}.json`, "lvp_icd.json"];
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const present = readdirSync(folder);
    const name = names.find((candidate) => present.includes(candidate));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
};

const isLavapipe = ({ info }: GPUAdapter): boolean =>
  /llvmpipe|lavapipe/i.test(`${info.device} ${info.description}`);

const isSwiftShader = ({ info }: GPUAdapter): boolean =>
  /swiftshader/i.test(`${info.architecture} ${info.device} ${info.description}`);

const lavapipe = async (): Promise<GPUAdapter | null> => {
  const ambient = await systemAdapter();
  if (ambient !== null && isLavapipe(ambient)) return ambient;
  const description = lavapipeDescription();
  if (description === undefined || !hasDrivers()) return null;
  requireMainThread("The adapter lavapipe");
  const adapter = await adapterOf("lavapipe", description);
  return adapter !== null && isLavapipe(adapter) ? adapter : null;
};

const systemSoftware = async (): Promise<GPUAdapter | null> => {
  const first = await systemAdapter();
  if (first === null) return null;
  if (first.info.isFallbackAdapter) return first;
  const fallback = await adapterOf("system", undefined, { forceFallbackAdapter: true });
  return fallback ?? (await lavapipe());
};

const bundled = async (): Promise<GPUAdapter | null> => {
  hasDrivers();
  const description = loadBundledDriver();
  const adapter = await adapterOf("swiftshader", description);
  if (adapter !== null && isSwiftShader(adapter)) return adapter;
  // Bun keeps what is set in process.env from libraries, so the loader looks where it was told when the process began
  const advice =
    "bun" in process.versions
      ? `Bun does not hand process.env to libraries, so start it with VK_DRIVER_FILES=${description}`
      : "install a Vulkan driver";
  throw new PrefcError(
    "bundled-adapter-broken",
    `The bundled software adapter was loaded but offers no adapter that Dawn accepts; ${advice}.`,
  );
};

/** An adapter found in one place, or null when there is none. Throws PrefcError when the place itself is unusable. */
export const probeNode = async (place: Place): Promise<GPUAdapter | null> => {
  switch (place) {
    case "hardware": {
      const adapter = await systemAdapter();
      return adapter === null || adapter.info.isFallbackAdapter ? null : adapter;
    }
    case "system software":
      return await systemSoftware();
    case "lavapipe":
      return await lavapipe();
    case "bundled":
      return await bundled();
  }
};
