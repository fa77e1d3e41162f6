// An open device: what it says of itself, the budget it keeps, the errors nobody caught, and whose it is to close.
import { describe, expect, it } from "vitest";
import { defaultAdapter, findAdapter } from "../../src/runtime/device/adapter.ts";
import { adoptDevice, openDevice } from "../../src/runtime/device/open.ts";
import type { Device } from "../../src/runtime/device/device.ts";
import { describeEnvironment, environmentText } from "../../src/runtime/device/environment.ts";
import {
  featureNames,
  requestedFeatures,
  requestedLimits,
} from "../../src/runtime/device/limits.ts";
import { finished } from "../../src/runtime/device/wait.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { expectNoErrors, withDevice } from "../support/device.ts";

let device: Device;

withDevice((opened) => {
  device = opened;
});

describe("an open device", () => {
  it("describes itself in plain data, which getters would not survive", () => {
    expect(device.info.vendor).not.toBe("");
    expect(structuredClone(device.info)).toEqual(device.info);
    expect(device.line).toContain(device.info.vendor);
    expect(device.line).toContain(device.info.kind);
    expect(device.isLost()).toBe(false);
  });

  it("is granted the adapter's own limits, not the defaults", async () => {
    const { adapter } = await findAdapter(await defaultAdapter());
    expect(device.limits["maxBufferSize"]).toBe(adapter.limits.maxBufferSize);
    expect(device.limits).toEqual(requestedLimits(adapter.limits));
    expect(device.limits).toEqual(requestedLimits(device.gpu.limits));
    const wanted = requestedFeatures(adapter.features);
    expect(featureNames.filter((name) => device.features.includes(name))).toEqual(wanted);
  });

  it("keeps errors that no scope caught until somebody asks", async () => {
    device.gpu.createBuffer({ label: "without a use", size: 16, usage: 0 });
    await finished(device, "making a mistake");
    const errors = device.takeErrors();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/usage/i);
    expect(device.takeErrors()).toEqual([]);
  });

  it("fails the test in which such an error came, whatever else that test expects", async () => {
    device.gpu.createBuffer({ label: "without a use", size: 16, usage: 0 });
    await expect(expectNoErrors(device)).rejects.toThrow(/usage/i);
    await expectNoErrors(device);
  });

  it("has a budget, which an option replaces", async () => {
    expect(device.byteBudget).toBeGreaterThan(0);
    const small = await openDevice({ byteBudget: 4096 });
    expect(small.byteBudget).toBe(4096);
    small.dispose();
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])(
    "refuses a budget of %d bytes",
    async (byteBudget) => {
      const code = "byte-budget-invalid";
      await expect(openDevice({ byteBudget })).rejects.toMatchObject({ code });
      await expect(adoptDevice(device.gpu, { byteBudget })).rejects.toMatchObject({ code });
    },
  );

  it("is lost when disposed of, which may be said twice", async () => {
    const short = await openDevice();
    let told = 0;
    short.whenLost(() => (told += 1));
    const takeBack = short.whenLost(() => (told += 100));
    takeBack();
    short.dispose();
    short.dispose();
    expect((await short.lost).reason).toBe("destroyed");
    expect(short.isLost()).toBe(true);
    expect(short.lossReason()).toContain("destroyed");
    expect(told).toBe(1);
  });

  it("is refused in a sentence when the adapter gives none", async () => {
    const adapter = {
      info: {
        vendor: "v",
        architecture: "a",
        device: "d",
        description: "",
        isFallbackAdapter: true,
      },
      limits: {},
      features: new Set<string>(),
      requestDevice: async () => {
        throw new Error("out of luck");
      },
    } as unknown as GPUAdapter;
    const opening = openDevice({ adapter: "software", probe: async () => adapter });
    await expect(opening).rejects.toMatchObject({ code: "device-refused" });
    await expect(opening).rejects.toThrow("v a, d [system software]");
    await expect(opening).rejects.toThrow("out of luck");
  });
});

describe("a user's own device", () => {
  it("is described like any other and stays open when disposed of", async () => {
    const adopted = await adoptDevice(device.gpu);
    expect(adopted.info.kind).toBe("user's own");
    expect(adopted.limits).toEqual(device.limits);
    adopted.dispose();
    await finished(device, "checking that the device is alive");
    expect(adopted.isLost()).toBe(false);
    const buffer = device.gpu.createBuffer({ size: 4, usage: bufferUsage.storage });
    buffer.destroy();
  });
});

describe("the environment", () => {
  it("states versions, adapter, features and limits, as data and as text", async () => {
    const environment = await describeEnvironment(device);
    expect(JSON.parse(JSON.stringify(environment))).toEqual(environment);
    const text = environmentText(environment);
    expect(text).toContain(device.line);
    expect(text).toContain(process.version);
    for (const name of [...device.features, ...Object.keys(device.limits)]) {
      expect(text).toContain(name);
    }
    expect(environment.versions["prefc"]).toMatch(/^\d+\.\d+\.\d+/);
    expect(environment.versions["webgpu"]).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("can be described without a device, with the reason", async () => {
    const text = environmentText(await describeEnvironment("No GPU adapter was found."));
    expect(text).toContain("No GPU adapter was found.");
    expect(text).toContain(process.version);
  });

  it("lists the matrix shapes of an adapter that reports some", async () => {
    const shape = JSON.stringify({ M: 16, N: 16, K: 16 });
    const info = { ...device.info, subgroupMatrixConfigs: [shape] };
    expect(environmentText(await describeEnvironment({ ...device, info }))).toContain(shape);
  });
});
