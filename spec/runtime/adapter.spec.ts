// The search for an adapter: which places each name stands for, and the sentence when there is nothing there.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import {
  adapterNames,
  adapterNameOf,
  defaultAdapter,
  findAdapter,
  type AdapterName,
  type Place,
} from "../../src/runtime/device/adapter.ts";
import { requireMainThread } from "../../src/runtime/node/bundled.ts";
import { lavapipeDescription } from "../../src/runtime/node/search.ts";
import { inChild, inWorker } from "./child.ts";

const nobody = async (): Promise<null> => null;

// The search hands an adapter on without looking at it.
const adapter = {} as GPUAdapter;

describe("the search for an adapter", () => {
  const order: readonly (readonly [AdapterName, readonly Place[]])[] = [
    ["auto", ["hardware", "system software", "bundled"]],
    ["hardware", ["hardware"]],
    ["software", ["system software", "bundled"]],
    ["lavapipe", ["lavapipe"]],
    ["swiftshader", ["bundled"]],
  ];

  it("has an order for every name", () => {
    expect(order.map(([name]) => name)).toEqual(adapterNames);
  });

  it.each(order)("for %s looks in %j, and says so when there is nothing", async (name, places) => {
    const asked: Place[] = [];
    const search = findAdapter(name, async (place) => {
      asked.push(place);
      return null;
    });
    await expect(search).rejects.toMatchObject({ code: "no-adapter" });
    await expect(search).rejects.toThrow(/install/i);
    expect(asked).toEqual(places);
  });

  it.each(order)("for %s takes the first of %j that has one", async (name, places) => {
    for (const [index, stop] of places.entries()) {
      const asked: Place[] = [];
      const found = await findAdapter(name, async (place) => {
        asked.push(place);
        return place === stop ? adapter : null;
      });
      expect(asked).toEqual(places.slice(0, index + 1));
      expect(found.adapter).toBe(adapter);
      expect(found.kind).toBe(stop === "lavapipe" ? "system software" : stop);
    }
  });

  it("goes on past an unusable place and repeats its reason when nothing else is found", async () => {
    const probe = async (place: Place): Promise<GPUAdapter | null> => {
      if (place === "bundled") throw new PrefcError("bundled-adapter-missing", "Not installed.");
      return null;
    };
    await expect(findAdapter("auto", probe)).rejects.toThrow(/^No GPU adapter.*Not installed\.$/);
    await expect(findAdapter("swiftshader", probe)).rejects.toMatchObject({
      code: "bundled-adapter-missing",
    });
  });

  it("does not hide a mistake in a probe", async () => {
    const probe = async (): Promise<never> => {
      throw new TypeError("a mistake");
    };
    await expect(findAdapter("auto", probe)).rejects.toThrow(TypeError);
  });
});

describe("an adapter's name", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("must be one of the list, which the message gives", async () => {
    await expect(findAdapter("cuda", nobody)).rejects.toMatchObject({ code: "unknown-adapter" });
    for (const name of adapterNames) expect(() => adapterNameOf("cuda")).toThrow(name);
  });

  it("comes from PREFC_ADAPTER when none is given, and from auto when that is empty", async () => {
    vi.stubEnv("PREFC_ADAPTER", "");
    expect(await defaultAdapter()).toBe("auto");
    vi.stubEnv("PREFC_ADAPTER", "lavapipe");
    expect(await defaultAdapter()).toBe("lavapipe");
    vi.stubEnv("PREFC_ADAPTER", "cuda");
    await expect(defaultAdapter()).rejects.toMatchObject({ code: "unknown-adapter" });
  });
});

describe("a machine without drivers", () => {
  // Loaders look in these places only, apart from /etc, where distributions install no software driver.
  const withoutDrivers = {
    VK_DRIVER_FILES: "/nonexistent/driver.json",
    VK_ICD_FILENAMES: "/nonexistent/driver.json",
    XDG_DATA_DIRS: "/nonexistent",
  };

  it.runIf(process.platform === "linux").each(["hardware", "lavapipe"])(
    "has no %s adapter, and says what to install",
    (name) => {
      const { code, message } = inChild(["open", name], withoutDrivers);
      expect(code).toBe("no-adapter");
      expect(message).toMatch(/install/i);
    },
  );

  it.runIf(process.platform === "linux" && process.arch === "x64").each(["auto", "software"])(
    "gets the bundled adapter for %s",
    (name) => {
      expect(inChild(["open", name], withoutDrivers).kind).toBe("bundled");
    },
  );

  it("has no description of lavapipe; one for this machine comes before a general one", () => {
    const folder = mkdtempSync(join(tmpdir(), "prefc-spec-"));
    try {
      const missing = join(folder, "missing");
      const empty = join(folder, "empty");
      mkdirSync(empty);
      expect(lavapipeDescription([missing, empty])).toBeUndefined();

      const general = join(folder, "lvp_icd.json");
      writeFileSync(general, "{}");
      writeFileSync(join(folder, "lvp_icd.another-machine.json"), "{}");
      expect(lavapipeDescription([missing, empty, folder])).toBe(general);

      const machine = { x64: "x86_64", arm64: "aarch64" }[process.arch as string] ?? process.arch;
      const own = join(folder, `lvp_icd.${machine}.json`);
      writeFileSync(own, "{}");
      expect(lavapipeDescription([missing, empty, folder])).toBe(own);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a worker thread", () => {
  it("is refused in a sentence", () => {
    expect(() => requireMainThread("The adapter", false)).toThrow(
      expect.objectContaining({ code: "worker-thread" }),
    );
    expect(() => requireMainThread("The adapter")).not.toThrow();
  });

  it("cannot open the bundled adapter", async () => {
    expect(await inWorker(["open", "swiftshader"])).toMatchObject({ code: "worker-thread" });
  });
});
