// Every kernel of every built-in objective by a third implementation of WebGPU: wgpu and naga, through the package wgpu of
// Python, on Vulkan's software driver. Value and gradient are held to the interpreter as those of the other adapters are.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { adoptDevice, builtIns, type Device } from "../../src/index.ts";
import { interpreter } from "../../src/python/worker.ts";
import { seed } from "../seed.ts";
import { hasWgpu, openWgpu, type Wgpu } from "./device.ts";

const isMissing = !hasWgpu();
const how = `as ${interpreter()} has no wgpu; set PREFC_PYTHON to one that has`;
if (isMissing) console.info(`specs in wgpu are skipped, ${how}`);

describe.skipIf(isMissing)("wgpu and naga", () => {
  let wgpu: Wgpu;
  let device: Device;
  beforeAll(async () => {
    wgpu = await openWgpu();
    device = await adoptDevice(wgpu.gpu);
  });
  afterAll(() => wgpu.close());

  it.each(Object.entries(builtIns))("agree with the interpreter: %s", async (_name, { make }) => {
    const failures: string[] = [];
    for await (const report of checkObjective(make(), { batches: 1, seed, device }))
      failures.push(...report.failures);
    expect(failures).toEqual([]);
    expect(wgpu.errors, "what wgpu refused").toEqual([]);
  });
});
