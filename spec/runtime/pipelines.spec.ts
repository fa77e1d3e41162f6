// Pipelines are kept by the text of their shader: a second compile of the same objective gives the driver nothing to build,
// another objective only what it does not share, and another device everything.
import { describe, expect, it, vi } from "vitest";
import { randomBatch } from "../../src/check/batch.ts";
import { random } from "../../src/check/random.ts";
import { compile, dpo, openDevice, wpo, type Device, type Objective } from "../../src/index.ts";

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
  it("builds each shader once on a device, whoever needs it", async () => {
    const device = await openDevice();
    const first = await built(device, dpo());
    expect(first.length).toBeGreaterThanOrEqual(4);
    expect(await built(device, dpo())).toEqual([]);
    const other = await built(device, wpo());
    expect(other.length).toBeGreaterThan(0);
    expect(other.filter((text) => first.includes(text))).toEqual([]);
    expect(other.length).toBeLessThan(first.length + 1);
    const another = await openDevice();
    expect(await built(another, dpo())).toEqual(first);
    another.dispose();
    device.dispose();
  });
});
