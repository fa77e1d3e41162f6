// Pipelines are kept by the text of their shader: a second compile of the same objective gives the driver nothing to build,
// another objective only what it does not share, and another device everything. Those that no plan needs are not kept for ever.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { compile, dpo, wpo, type Device, type Objective } from "../../src/index.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { pipelineFor, type Pipeline } from "../../src/runtime/shaders/pipelines.ts";
import { usingDevice, withDevice } from "../support/device.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Shaders that a device is given while one step of an objective runs. */
async function built(device: Device, objective: Objective): Promise<readonly string[]> {
  const spy = vi.spyOn(device.gpu, "createShaderModule");
  const compiled = compile(objective, { device });
  const { responses, inputs } = compiled.program;
  const size = { examples: 2, tokens: 3, vocab: [40, 40] } as const;
  const batch = randomBatch({ responses, inputs }, size, random(1, 0));
  await compiled.valueAndGrad(batch);
  const texts = spy.mock.calls.map(([{ code }]) => code);
  compiled.dispose();
  spy.mockRestore();
  return texts;
}

describe("the cache of pipelines", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  it("builds each shader once on a device, whoever needs it", async () => {
    const first = await built(device, dpo());
    expect(first.length).toBeGreaterThanOrEqual(4);
    expect(await built(device, dpo())).toEqual([]);
    const other = await built(device, wpo());
    expect(other.length).toBeGreaterThan(0);
    expect(other.filter((text) => first.includes(text))).toEqual([]);
    expect(other.length).toBeLessThan(first.length + 1);
    expect(await usingDevice((another) => built(another, dpo()))).toEqual(first);
  });

  it("keeps what a kernel needs and the last few, and lets the others go", async () => {
    const kernel = (n: number): Kernel =>
      ({ name: `kernel ${n}`, bindings: [] }) as Partial<Kernel> as Kernel;
    const text = (n: number): string =>
      `// ${n}\n@compute @workgroup_size(1) fn main() { _ = ${n}; }`;
    const held = kernel(0);
    const kept = await pipelineFor(device, held, text(0));
    const dropped = ((): WeakRef<Promise<Pipeline>> =>
      new WeakRef(pipelineFor(device, kernel(1), text(1))))();
    const last = 60;
    for (let n = 2; n <= last; n++) await pipelineFor(device, kernel(n), text(n));
    // the collector decides when; it has never needed more than a few turns
    for (let turn = 0; turn < 100 && dropped.deref() !== undefined; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      collect();
    }
    expect(dropped.deref()).toBe(undefined);
    const spy = vi.spyOn(device.gpu, "createShaderModule");
    expect(await pipelineFor(device, kernel(0), text(0))).toBe(kept);
    await pipelineFor(device, kernel(last), text(last));
    expect(spy).not.toHaveBeenCalled();
    await pipelineFor(device, kernel(1), text(1));
    expect(spy).toHaveBeenCalledOnce();
    // so that it is held until here
    expect(held.bindings).toEqual([]);
  });
});
