// Buffers and arrays that callers bring: of another device, destroyed, mapped, lost, shared with other threads, overwritten. The
// sentence names the tensor, and nothing is called a bug of prefc.
import { describe, expect, it } from "vitest";
import {
  compile,
  dpo,
  evaluate,
  fromResponses,
  type Batch,
  type Compiled,
  type Device,
  type ResponseData,
} from "../../src/index.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { usingDevice, withDevice } from "../support/device.ts";

const V = 50;
const { storage, copySource, copyTarget, mapWrite } = bufferUsage;
const numbers = (): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 3 * V }, (_, i) => ((i * 37) % 50) / 10);
const parts = (policy_logits: ResponseData["policy_logits"]): Batch =>
  fromResponses(
    {
      w: {
        labels: [1, 2, 3],
        lengths: [2, 1],
        policy_logits: policy_logits!,
        ref_logits: numbers(),
      },
      l: { labels: [4, 5, 6], lengths: [1, 2], policy_logits: numbers(), ref_logits: numbers() },
    },
    { vocab_size: V },
  );
const bufferOn = (device: Device, usage = storage | copyTarget | copySource): GPUBuffer => {
  const buffer = device.gpu.createBuffer({ size: 12 * V, usage });
  if ((usage & copyTarget) !== 0) device.gpu.queue.writeBuffer(buffer, 0, numbers());
  return buffer;
};
const expected = evaluate([compile(dpo()).program.loss], parts(numbers()), {})[0]!.data[0]!;

describe("what a caller brings", () => {
  let device: Device;
  let objective: Compiled;
  withDevice((opened) => {
    device = opened;
    objective = compile(dpo(), { device });
  });
  const refused = async (batch: Batch, ...words: readonly RegExp[]): Promise<void> => {
    const run = objective.value(batch);
    await expect(run).rejects.toMatchObject({ code: "buffer-unusable" });
    const { message } = (await run.catch((error: unknown) => error)) as Error;
    expect(message).toMatch(/^The GPUBuffer for the policy logits "policy\.w" /);
    expect(message).not.toMatch(/bug of prefc/);
    for (const word of words) expect(message).toMatch(word);
    // the next run is as good as ever
    expect((await objective.value(parts(numbers()))).loss).toBeCloseTo(expected, 5);
  };

  it("may be a buffer of the device", async () => {
    const buffer = bufferOn(device);
    expect((await objective.value(parts(buffer))).loss).toBeCloseTo(expected, 5);
  });

  it("may be memory that is shared with other threads", async () => {
    const shared = new Float32Array(new SharedArrayBuffer(12 * V));
    shared.set(numbers());
    expect((await objective.value(parts(shared))).loss).toBeCloseTo(expected, 5);
  });

  it("is no buffer of another device", () =>
    usingDevice(async (other) => {
      await refused(parts(bufferOn(other)), /was made on another device/);
    }));

  it("is no destroyed buffer", async () => {
    const buffer = bufferOn(device);
    buffer.destroy();
    await refused(parts(buffer), /was destroyed/);
  });

  it("is no mapped buffer", async () => {
    const buffer = device.gpu.createBuffer({
      size: 12 * V,
      usage: storage | copySource,
      mappedAtCreation: true,
    });
    await refused(parts(buffer), /is mapped; unmap it/);
    buffer.unmap();
    expect(mapWrite).toBeGreaterThan(0);
  });

  it("may destroy a gradient that was left on the device", async () => {
    const batch = parts(numbers());
    for (let step = 0; step < 3; step++) {
      const { gradients, loss } = await objective.valueAndGrad(batch, { gradients: "keep" });
      expect(loss).toBeCloseTo(expected, 5);
      for (const gradient of Object.values(gradients)) (gradient as GPUBuffer).destroy();
    }
  });

  it("is spent when a gradient has taken the place of its logits", async () => {
    const buffer = bufferOn(device);
    const batch = parts(buffer);
    await objective.valueAndGrad(batch, { into: { "policy.w": buffer } });
    for (const again of [objective.value(batch), objective.valueAndGrad(batch)])
      await expect(again).rejects.toMatchObject({
        code: "batch-spent",
        message: expect.stringContaining(
          'The logits "policy.w" of this batch were overwritten',
        ) as string,
      });
    device.gpu.queue.writeBuffer(buffer, 0, numbers());
    expect((await objective.value(parts(buffer))).loss).toBeCloseTo(expected, 5);
  });
});

describe("a device that was lost and replaced", () => {
  it("is told of where a buffer went with it", () =>
    usingDevice(async (device) => {
      const objective = compile(dpo(), { device });
      const batch = parts(bufferOn(device));
      device.gpu.destroy();
      await device.lost;
      expect((await objective.value(parts(numbers()))).loss).toBeCloseTo(expected, 5);
      await expect(objective.value(batch)).rejects.toMatchObject({
        code: "buffer-unusable",
        message: expect.stringMatching(/was lost \(.*\) and replaced.*device\.renew\(\)/) as string,
      });
      const next = await device.renew();
      expect((await objective.value(parts(bufferOn(next)))).loss).toBeCloseTo(expected, 5);
    }));
});
