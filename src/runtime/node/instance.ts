// Dawn instances, each opened once and kept for the life of the process. If the object that create() returns is collected
// after a device existed, the process dies, so instances and adapters are held by the global object, under a registered
// symbol that every copy of this module in the process shares. An instance sees the drivers that were visible when it
// first connected, so there is one per set of drivers.
import { tmpdir } from "node:os";
import type * as Dawn from "webgpu";
import { PrefcError } from "../../core/error.ts";

/** Which drivers an instance sees: those of the system, lavapipe alone, the bundled SwiftShader alone, or no device at all. */
export type InstanceName = "system" | "lavapipe" | "swiftshader" | "null";

type Kept = {
  readonly instances: Map<InstanceName, GPU>;
  readonly adapters: Set<GPUAdapter>;
  turn: Promise<unknown>;
};

const keepUnder = Symbol.for("prefc.gpu");

const kept = (): Kept => {
  const holder = globalThis as { [keepUnder]?: Kept };
  return (holder[keepUnder] ??= {
    instances: new Map(),
    adapters: new Set(),
    turn: Promise.resolve(),
  });
};

// Unsafe APIs: timestamp queries inside a pass. Quantization off: timestamps in nanoseconds, not in steps of 100 µs.
const flags: Readonly<Record<InstanceName, readonly string[]>> = (() => {
  const device = [
    "enable-dawn-features=allow_unsafe_apis",
    "disable-dawn-features=timestamp_quantization",
  ];
  return { system: device, lavapipe: device, swiftshader: device, null: ["backend=null"] };
})();

/** The package of Dawn. Throws PrefcError "webgpu-missing". */
export const loadDawn = async (
  load: () => Promise<typeof Dawn> = () => import("webgpu"),
  machine: string = `${process.platform} ${process.arch}`,
): Promise<typeof Dawn> => {
  try {
    return await load();
  } catch (cause) {
    throw new PrefcError(
      "webgpu-missing",
      `The package webgpu could not be loaded on ${machine}; run npm install on a platform that it supports (Linux, macOS or Windows, x64 or arm64).`,
      { cause },
    );
  }
};

/** The kept instance of that name, created when it is first asked for. Throws PrefcError "webgpu-missing". */
const instanceOf = async (name: InstanceName): Promise<GPU> => {
  const { create } = await loadDawn();
  const { instances } = kept();
  const existing = instances.get(name);
  if (existing !== undefined) return existing;
  const created = create([...flags[name]]);
  instances.set(name, created);
  return created;
};

/** Runs `action` with the given environment variables set, and puts the old values back when it has settled. */
const withEnvironment = async <T>(
  variables: Readonly<Record<string, string>>,
  action: () => Promise<T>,
): Promise<T> => {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

// The drivers are read from the environment while an instance connects, so connections take turns.
const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
  const state = kept();
  const result = state.turn.then(action);
  state.turn = result.catch(() => undefined);
  return result;
};

/**
 * A fresh adapter (each serves one device) of the kept instance of that name, or null when it has none. `driver` is the
 * path of the only Vulkan driver description that the instance may see; without it the system's own search holds.
 */
export const adapterOf = (
  name: InstanceName,
  driver?: string,
  options: GPURequestAdapterOptions = {},
): Promise<GPUAdapter | null> =>
  inTurn(async () => {
    // Old Vulkan loaders know the first name, new ones the second. Mesa complains about a missing run-time folder.
    const drivers =
      driver === undefined ? {} : { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver };
    const quiet = process.env["XDG_RUNTIME_DIR"] === undefined ? { XDG_RUNTIME_DIR: tmpdir() } : {};
    return await withEnvironment({ ...drivers, ...quiet }, async () => {
      const adapter = await (await instanceOf(name)).requestAdapter(options);
      if (adapter !== null) kept().adapters.add(adapter);
      return adapter;
    });
  });
