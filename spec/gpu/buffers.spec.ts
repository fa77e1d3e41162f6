// Where data lives on a device: logits that are there already, gradients that stay there or go into a user's buffer, a device
// that the user brings, tensors cut into windows of rows that fit a binding, and more rows than one dimension of a grid holds.
// None of it may change a bit of the results.
import { describe, expect, it } from "vitest";
import {
  adoptDevice,
  compile,
  dpo,
  exp,
  fromResponses,
  logPi,
  mean,
  objective,
  sft,
  sum,
  wpo,
  type Batch,
  type Device,
  type Objective,
  type ValueAndGrad,
} from "../../src/index.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { usingDevice, withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { asPacked, asSeparate, asTrl, contentOf, uniforms, type Drawn } from "./batches.ts";
import { everyUse, onDevice } from "./placed.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const drawn: Drawn = {
  examples: 3,
  vocab: 32,
  lengths: { w: [4, 2, 5], l: [1, 5, 3] },
  scale: "normal",
  masked: true,
  seed: 21,
};
const content = contentOf(drawn);
const reverseKl: Objective = objective(
  "reverse divergence",
  ["w", "l"],
  (g) =>
    mean(
      "token",
      sum(
        "vocab",
        exp(logPi(g.policy, g.y.w)).times(logPi(g.policy, g.y.w).minus(logPi(g.ref, g.y.w))),
      ),
    ).minus(
      mean(
        "token",
        sum(
          "vocab",
          exp(logPi(g.ref, g.y.l)).times(logPi(g.ref, g.y.l).minus(logPi(g.policy, g.y.l))),
        ),
      ),
    ),
  { source: "written for this test" },
);
const unmasked = contentOf({ ...drawn, masked: false });

const words = (data: ArrayLike<number>): Uint32Array =>
  new Uint32Array(Float32Array.from(data).buffer);
const same = (one: ValueAndGrad, other: ValueAndGrad): void => {
  expect(words([other.loss, ...Object.values(other.metrics)])).toEqual(
    words([one.loss, ...Object.values(one.metrics)]),
  );
  expect(Object.keys(other.gradients).toSorted()).toEqual(Object.keys(one.gradients).toSorted());
  for (const [name, data] of Object.entries(one.gradients)) {
    expect(words(other.gradients[name] as Float32Array), name).toEqual(words(data as Float32Array));
  }
};

describe("logits on the device", () => {
  it.each([
    ["of both models", () => true],
    ["of the policy", (name: string) => name.startsWith("policy")],
    ["of the reference", (name: string) => name.startsWith("ref")],
  ] as const)("are read where they are: %s", async (_which, moved) => {
    const own = compile(wpo(), { device });
    for (const batch of [asTrl(content), asPacked(content), asSeparate(content)]) {
      same(await own.valueAndGrad(batch), await own.valueAndGrad(onDevice(batch, device, moved)));
    }
    own.dispose();
  });
});

describe("gradients on the device", () => {
  it("stay there when kept, and hold what would have been read", async () => {
    const own = compile(dpo(), { device });
    const batch = asSeparate(content);
    const read = await own.valueAndGrad(batch);
    const kept = await own.valueAndGrad(batch, { gradients: "keep" });
    expect(Object.keys(kept.gradients)).toEqual(["policy.w", "policy.l"]);
    for (const [name, data] of Object.entries(read.gradients)) {
      const buffer = kept.gradients[name] as GPUBuffer;
      const bytes = await readBuffer(
        device,
        buffer,
        0,
        (data as Float32Array).byteLength,
        "reading",
      );
      expect(new Uint32Array(bytes)).toEqual(words(data as Float32Array));
    }
    own.dispose();
  });

  it("go into a user's buffer, which may be larger, and nothing past the end is touched", async () => {
    const own = compile(dpo(), { device });
    const batch = asTrl(content);
    const read = (await own.valueAndGrad(batch)).gradients["policy"] as Float32Array;
    const size = read.byteLength + 1024;
    const target = device.gpu.createBuffer({ size, usage: everyUse });
    device.gpu.queue.writeBuffer(target, 0, new Uint32Array(size / 4).fill(0x12345678));
    const result = await own.valueAndGrad(batch, { into: { policy: target } });
    expect(result.gradients["policy"]).toBe(target);
    const bytes = new Uint32Array(await readBuffer(device, target, 0, size, "reading"));
    expect(bytes.subarray(0, read.length)).toEqual(words(read));
    expect(bytes.subarray(read.length).every((word) => word === 0x12345678)).toBe(true);
    target.destroy();
    own.dispose();
  });
});

describe("a device that the user brings", () => {
  it("gives the same bits as one of ours, and stays open", () =>
    usingDevice(async (other) => {
      const adopted = await adoptDevice(other.gpu);
      const [ours, theirs] = [compile(wpo(), { device }), compile(wpo(), { device: adopted })];
      const batch = asTrl(content);
      same(await ours.valueAndGrad(batch), await theirs.valueAndGrad(batch));
      theirs.dispose();
      adopted.dispose();
      expect(other.isLost()).toBe(false);
      same(
        await ours.valueAndGrad(batch),
        await compile(wpo(), { device: other }).valueAndGrad(batch),
      );
      ours.dispose();
    }));
});

/** The same device, as if it bound no more than this many bytes. */
const binding = (bytes: number): Device => ({
  ...device,
  limits: { ...device.limits, maxStorageBufferBindingSize: bytes },
});

describe("a tensor larger than a binding", () => {
  it.each([
    ["dpo", dpo(), content],
    ["wpo", wpo({ stop: false }), content],
    ["both models in one loop", reverseKl, unmasked],
  ] as const)(
    "is read and written in windows, to the same bits: %s",
    async (_name, given, data) => {
      for (const vocab of [32, 33]) {
        const own = contentOf({ ...data.drawn, vocab });
        for (const batch of [asTrl(own), asPacked(own), asSeparate(own)]) {
          const whole = compile(given, { device });
          const expected = await whole.valueAndGrad(batch);
          for (const bytes of vocab === 32 ? [256, 768, 1280] : [8448, 2 * 8448]) {
            const cut = compile(given, { device: binding(bytes) });
            same(expected, await cut.valueAndGrad(batch));
            cut.dispose();
          }
          whole.dispose();
        }
      }
    },
  );
});

describe("responses of one model in one tensor and of the other in two", () => {
  const mixed = (policy: Batch, ref: Batch): Batch => ({
    ...policy,
    inputs: {
      ...policy.inputs,
      "ref.logits.w": ref.inputs["ref.logits.w"]!,
      "ref.logits.l": ref.inputs["ref.logits.l"]!,
    },
  });
  const trl = asTrl(unmasked);
  const separate = asSeparate(unmasked);

  it("agree with the interpreter, for every kind of pass", async () => {
    for (const given of [dpo(), wpo(), reverseKl]) {
      const own = compile(given, { device });
      await expectAgreementOf(own, mixed(trl, separate), {}, "gradient sums");
      await expectAgreementOf(own, mixed(separate, trl), {}, "gradient sums");
      own.dispose();
    }
  });

  it("are cut together when they are read in one loop, to the same bits", async () => {
    const whole = compile(reverseKl, { device });
    const cut = compile(reverseKl, { device: binding(1280) });
    for (const batch of [mixed(trl, separate), mixed(separate, trl)]) {
      same(await whole.valueAndGrad(batch), await cut.valueAndGrad(batch));
    }
    whole.dispose();
    cut.dispose();
  });

  it("are refused when what belongs together lies too far apart for a binding", async () => {
    const cut = compile(reverseKl, { device: binding(256) });
    const running = cut.valueAndGrad(mixed(separate, trl));
    await expect(running).rejects.toMatchObject({ code: "rows-apart" });
    await expect(running).rejects.toThrow(/lay out the logits of both models alike\.$/);
    cut.dispose();
  });
});

describe("more rows than one dimension of a grid holds", () => {
  it("agree with the interpreter's meaning of sft, written as a plain loop", async () => {
    const [rows, vocab] = [70_001, 3];
    const random = uniforms(4);
    const logits = new Float32Array(rows * vocab).map(() => 4 * random() - 2);
    const labels = Array.from({ length: rows }, () => Math.floor(random() * vocab));
    const batch = fromResponses(
      { w: { labels, lengths: [rows - 2, 2], policy_logits: logits } },
      { vocab_size: vocab },
    );
    const own = compile(sft(), { device, metrics: false });
    const { loss, gradients } = await own.valueAndGrad(batch);
    const gradient = gradients["policy.w"] ?? gradients["policy"];
    let total = 0;
    let farthest = 0;
    for (let row = 0; row < rows; row++) {
      const z = logits.subarray(row * vocab, (row + 1) * vocab);
      const sumOfExp = z.reduce((sum, value) => sum + Math.exp(value), 0);
      total += Math.log(sumOfExp) - z[labels[row]!]!;
      z.forEach((value, v) => {
        const right = (Math.exp(value) / sumOfExp - (v === labels[row] ? 1 : 0)) / rows;
        farthest = Math.max(
          farthest,
          Math.abs(right - (gradient as Float32Array)[row * vocab + v]!) * rows,
        );
      });
    }
    // the terms are added in pairs of floats, so what is left is the error of a term: 2^-21 of a log, a few units of an exp
    expect(Math.abs(loss - total / rows) / (total / rows)).toBeLessThanOrEqual(2 ** -20);
    expect(farthest).toBeLessThanOrEqual(1e-5);
    own.dispose();
  });
});
