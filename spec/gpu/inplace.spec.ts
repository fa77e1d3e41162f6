// A gradient in the place of its logits: the same bits as one in a buffer of its own, for every storage type, every kind
// of pass and tensors in windows; hardly any memory beside the logits; and a sentence where it would be wrong.
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  compile,
  dpo,
  fromTrl,
  tdpo2,
  wpo,
  type Batch,
  type Device,
  type LogitsTensor,
  type Objective,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import {
  asSeparate,
  asTrl,
  contentOf,
  draws,
  laidOut,
  layouts,
  storedAs,
  withHighInputs,
} from "./batches.ts";
import { bufferOf, freed, heldIn, onDevice, policyTensors } from "./placed.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** Each combination is a shader of its own, and drivers take long for some. */
const types = fc.constantFrom(
  { policy: "f32", ref: "f32" },
  { policy: "bf16", ref: "bf16" },
  { policy: "f16", ref: "f32" },
);
const bitsOf = (data: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The gradient targets that put each gradient over its logits. */
const overLogits = (batch: Batch): Record<string, GPUBuffer> =>
  Object.fromEntries(policyTensors(batch).map(({ name, data }) => [name, data as GPUBuffer]));

/** Runs with gradients read and in place, and compares every bit. */
async function expectSame(objective: Objective, on: Device, host: Batch): Promise<void> {
  const own = compile(objective, { device: on });
  const apart = await own.valueAndGrad(host);
  const batch = onDevice(host, on);
  const over = await own.valueAndGrad(batch, { into: overLogits(batch) });
  expect([over.loss, over.metrics]).toEqual([apart.loss, apart.metrics]);
  expect(Object.keys(over.gradients)).toEqual(Object.keys(apart.gradients));
  for (const tensor of policyTensors(batch)) {
    expect(over.gradients[tensor.name]).toBe(tensor.data);
    const held = await heldIn(on, tensor.data as GPUBuffer, tensor, batch.vocab);
    const right = apart.gradients[tensor.name] as Float32Array | Uint16Array;
    expect(bitsOf(held), tensor.name).toEqual(bitsOf(right));
  }
  freed(batch);
  own.dispose();
}

describe("a gradient in the place of its logits", () => {
  it.each([
    { name: "dpo", objective: dpo() },
    { name: "wpo, differentiated weights", objective: wpo({ stop: false }) },
    { name: "tdpo2, both models in one loop", objective: tdpo2() },
  ])("has the same bits: $name", async ({ objective }) => {
    await fc.assert(
      fc.asyncProperty(
        draws({ masked: false }),
        layouts,
        types,
        async (drawn, layout, stored) =>
          await expectSame(objective, device, storedAs(laidOut(contentOf(drawn), layout), stored)),
      ),
      { numRuns: 12 },
    );
  });

  it("has the same bits where the tensor is cut into windows", async () => {
    const drawn = {
      examples: 3,
      lengths: { w: [4, 2, 5], l: [1, 5, 3] },
      scale: "normal",
      masked: true,
      seed: 21,
    } as const;
    for (const [vocab, bytes] of [
      [32, 768],
      [33, 8448],
    ] as const) {
      const small = {
        ...device,
        limits: { ...device.limits, maxStorageBufferBindingSize: bytes },
      };
      for (const dtype of ["f32", "bf16"] as const) {
        const batch = storedAs(asTrl(contentOf({ ...drawn, vocab })), {
          policy: dtype,
          ref: dtype,
        });
        await expectSame(dpo(), small, batch);
      }
    }
  });

  it("may be asked for one tensor and not for another", async () => {
    const content = contentOf({
      examples: 2,
      vocab: 12,
      lengths: { w: [2, 3], l: [1, 4] },
      scale: "normal",
      masked: false,
      seed: 3,
    });
    const own = compile(dpo(), { device });
    const apart = await own.valueAndGrad(asSeparate(content));
    const batch = onDevice(asSeparate(content), device);
    const { gradients } = await own.valueAndGrad(batch, {
      into: { "policy.l": overLogits(batch)["policy.l"]! },
    });
    expect(gradients["policy.w"]).toEqual(apart.gradients["policy.w"]);
    const [, l] = policyTensors(batch) as [LogitsTensor, LogitsTensor];
    expect(await heldIn(device, l.data as GPUBuffer, l, 12)).toEqual(apart.gradients["policy.l"]);
    freed(batch);
    own.dispose();
  });
});

describe("memory", () => {
  it.each(["f32", "f16", "bf16"] as const)(
    "beside logits of %s is at most a hundredth of them, and the second step allocates nothing",
    async (dtype) => {
      const [rows, length, vocab] = [16, 9, 8192];
      const size = dtype === "f32" ? 4 : 2;
      const logits = (): GPUBuffer =>
        bufferOf(device, new Uint16Array((rows * length * vocab * size) / 2));
      const [policy, ref] = [logits(), logits()];
      const batch = fromTrl({
        input_ids: Array.from({ length: rows }, () => Array.from({ length }, (_, t) => t)),
        completion_mask: Array.from({ length: rows }, () =>
          Array.from({ length }, (_, t) => (t > 2 ? 1 : 0)),
        ),
        policy_logits: { data: policy, dtype },
        ref_logits: { data: ref, dtype },
        shape: [rows, length, vocab],
      });
      const own = compile(wpo(), { device });
      await own.valueAndGrad(batch, { into: { policy } });
      const { bytes, buffersCreated } = own.memory();
      expect(bytes).toBeLessThanOrEqual(policy.size / 100);
      await own.valueAndGrad({ ...batch }, { into: { policy } });
      expect(own.memory()).toEqual({ bytes, buffersCreated });
      own.dispose();
      policy.destroy();
      ref.destroy();
    },
  );

  it.each([{ gradients: "read", perExample: true }, { gradients: "keep" }] as const)(
    "is not allocated on the device in a second step either: %o",
    async (options) => {
      const content = contentOf({
        examples: 2,
        vocab: 24,
        lengths: { w: [2, 3], l: [1, 4] },
        scale: "normal",
        masked: false,
        seed: 3,
      });
      const { gpu } = device;
      const own = compile(wpo(), { device, heights: { ref: "logps" } });
      const batch = withHighInputs(asSeparate(content), 1);
      await own.valueAndGrad(batch, options);
      const create = vi.spyOn(gpu, "createBuffer");
      await own.valueAndGrad(batch, options);
      expect(create).not.toHaveBeenCalled();
      // a spy that never sees anything would prove nothing
      await own.valueAndGrad(withHighInputs(asTrl(content), 1), options);
      expect(create).toHaveBeenCalled();
      create.mockRestore();
      own.dispose();
    },
  );
});

describe("is refused", () => {
  const content = contentOf({
    examples: 1,
    vocab: 8,
    lengths: { w: [2], l: [3] },
    scale: "normal",
    masked: false,
    seed: 4,
  });
  const rejected = async (batch: Batch, into: Record<string, GPUBuffer>, code: string) => {
    const own = compile(dpo(), { device });
    const running = own.valueAndGrad(batch, { into });
    await expect(running).rejects.toMatchObject({ code });
    own.dispose();
    freed(batch);
    return running;
  };

  it("over logits that the reference has too", async () => {
    const batch = onDevice(asTrl(content), device);
    const inputs = Object.entries(batch.inputs).map(([name, binding]) => [
      name,
      binding.height === "logits"
        ? { ...binding, tensor: { ...binding.tensor, data: policyTensors(batch)[0]!.data } }
        : binding,
    ]);
    const shared = { ...batch, inputs: Object.fromEntries(inputs) } as Batch;
    await expect(rejected(shared, overLogits(shared), "gradient-aliases-logits")).rejects.toThrow(
      /the ref logits "ref"/,
    );
  });

  it("over the logits of another response", async () => {
    const batch = onDevice(asSeparate(content), device);
    const { "policy.l": other } = overLogits(batch);
    await expect(
      rejected(batch, { "policy.w": other! }, "gradient-aliases-logits"),
    ).rejects.toThrow(/the policy logits "policy.l"/);
  });

  it("for two tensors in one buffer", async () => {
    const batch = asSeparate(content);
    const target = bufferOf(device, new Float32Array(64));
    await expect(
      rejected(batch, { "policy.w": target, "policy.l": target }, "gradients-share-buffer"),
    ).rejects.toThrow(/"policy.w" and "policy.l"/);
    target.destroy();
  });
});
