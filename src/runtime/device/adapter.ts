// The search for a GPU adapter: hardware first, then a software adapter of the system, then the bundled one. What is being
// looked for (a name) is separate from where it may be found (places, tried in order) and from how a place is probed,
// which differs between Node and a browser and can be replaced in tests.
import { PrefcError } from "../../core/error.ts";
import { isDeno, isNode, nodeHost } from "./host.ts";
import { didYouMean } from "../../core/names.ts";
import { cite } from "../../core/quote.ts";

/**
 * The names a user can ask for: "auto" (hardware, else software), "hardware" only, "software" only (the system's, else the
 * bundled one), or one software adapter: the system's "lavapipe" or the bundled "swiftshader".
 */
export const adapterNames = ["auto", "hardware", "software", "lavapipe", "swiftshader"] as const;

/** One of `adapterNames`. */
export type AdapterName = (typeof adapterNames)[number];

/** A place where an adapter may be found. */
export type Place = "hardware" | "system software" | "lavapipe" | "bundled";

/** What sort of adapter a device runs on. */
export type AdapterKind = "hardware" | "system software" | "bundled" | "user's own";

/** Looks in one place: an adapter, or null when there is none; throws PrefcError when the place is unusable. */
export type Probe = (place: Place) => Promise<GPUAdapter | null>;

/** An adapter and what sort of adapter it is. */
export type FoundAdapter = { readonly adapter: GPUAdapter; readonly kind: AdapterKind };

const placesOf: Readonly<Record<AdapterName, readonly Place[]>> = {
  auto: ["hardware", "system software", "bundled"],
  hardware: ["hardware"],
  software: ["system software", "bundled"],
  lavapipe: ["lavapipe"],
  swiftshader: ["bundled"],
};

const kindOf: Readonly<Record<Place, AdapterKind>> = {
  hardware: "hardware",
  "system software": "system software",
  lavapipe: "system software",
  bundled: "bundled",
};

const advice: Readonly<Record<AdapterName, string>> = {
  auto: "Install a GPU driver or a software Vulkan driver (Debian 13: apt install libvulkan1 mesa-vulkan-drivers), or use Linux x64, where a bundled software adapter is used; in a browser, use one with WebGPU enabled.",
  hardware:
    'Install the GPU\'s driver and a Vulkan loader (Debian: apt install libvulkan1), or ask for the adapter "software".',
  software:
    "Install a software Vulkan driver (Debian 13: apt install libvulkan1 mesa-vulkan-drivers), or use Linux x64, where a bundled one is used.",
  lavapipe:
    "Install it (Debian 13, or Debian 12 from backports: apt install libvulkan1 mesa-vulkan-drivers; Mesa 22.3.6 of Debian 12 itself is too old for Dawn).",
  swiftshader:
    "It is bundled for Linux x64 through an optional dependency; run npm install without --omit=optional.",
};

/** Checks a name. Throws PrefcError "unknown-adapter" with the list of names. */
export const adapterNameOf = (name: string): AdapterName => {
  const known = adapterNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw new PrefcError(
    "unknown-adapter",
    `There is no adapter called ${cite(name)}; the names are ${adapterNames.join(", ")} (option adapter, or PREFC_ADAPTER in Node).${typeof name === "string" ? didYouMean(name, adapterNames) : ""}`,
  );
};

const inBrowser: Probe = async (place) => {
  const gpu = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
  if (gpu === undefined) return null;
  if (place === "hardware") {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    return adapter === null || adapter.info.isFallbackAdapter ? null : adapter;
  }
  const adapter = await gpu.requestAdapter({ forceFallbackAdapter: true });
  if (adapter === null || place === "system software") return adapter;
  const { architecture, device, description } = adapter.info;
  const called = `${architecture} ${device} ${description}`;
  const wanted = place === "lavapipe" ? /llvmpipe|lavapipe/i : /swiftshader/i;
  return wanted.test(called) ? adapter : null;
};

const defaultProbe = async (): Promise<Probe> => {
  if (!isNode) return inBrowser;
  const { probeNode } = await nodeHost();
  return isDeno ? async (place) => (await inBrowser(place)) ?? (await probeNode(place)) : probeNode;
};

/** The name to use when none is given: PREFC_ADAPTER in Node, else "auto". Throws PrefcError "unknown-adapter". */
export const defaultAdapter = async (): Promise<AdapterName> =>
  adapterNameOf((isNode ? (await nodeHost()).defaultAdapterName() : undefined) ?? "auto");

/**
 * Finds an adapter. Throws PrefcError "unknown-adapter" for a name that does not exist, "no-adapter" when no place that
 * the name stands for has one, and the place's own error when it was the only place and is unusable (for example
 * "worker-thread").
 */
export const findAdapter = async (name: string, probe?: Probe): Promise<FoundAdapter> => {
  const wanted = adapterNameOf(name);
  const places = placesOf[wanted];
  const look = probe ?? (await defaultProbe());
  const unusable: PrefcError[] = [];
  for (const place of places) {
    try {
      const adapter = await look(place);
      if (adapter !== null) return { adapter, kind: kindOf[place] };
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      unusable.push(error);
    }
  }
  const [only] = unusable;
  if (only !== undefined && places.length === 1) throw only;
  const reasons = unusable.map(({ message }) => ` ${message}`).join("");
  const what = wanted === "auto" ? "No GPU adapter" : `No ${wanted} adapter`;
  throw new PrefcError("no-adapter", `${what} was found. ${advice[wanted]}${reasons}`);
};
