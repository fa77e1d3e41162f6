// Rows that several workgroups share. Whatever part of a row the label, the maximum, a masked or an impossible entry lies in,
// the result is that of a row which one workgroup reads; so it is for a single row, for vocabularies that are no multiple of
// four, for logits in 16 bits, for a gradient in the place of its logits, and for grids that are wider than a dimension.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lossError } from "../../src/check/error.ts";
import { PrefcError } from "../../src/core/error.ts";
import {
  compile,
  fromResponses,
  sft,
  tdpo2,
  wpo,
  type Batch,
  type Device,
  type ScheduleOptions,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { asSeparate, asTrl, contentOf, storedAs, uniforms, type Drawn } from "./batches.ts";
import { freed, heldIn, onDevice, policyTensors } from "./placed.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const parts = (split: number, more: ScheduleOptions = {}): ScheduleOptions => ({
  split,
  gradient: { split },
  ...more,
});
/** Short blocks, so that rows of some hundred entries have several for each part. */
const short = { rowLanes: 4, unroll: 1 } as const;
const paired = { rowLanes: 4, unroll: 2 } as const;

/** One response of one example: rows of logits between ±4, their labels as given. */
function completions(vocab: number, labels: readonly number[]): Batch {
  const random = uniforms(vocab + labels.length);
  const logits = Float32Array.from({ length: labels.length * vocab }, () => 8 * random() - 4);
  return fromResponses({ w: { labels: [labels], policy_logits: logits } }, { vocab_size: vocab });
}

describe("a single row", () => {
  it.each([32_000, 50_257, 128_256])("of %i entries is shared by any number", async (vocab) => {
    for (const [split, label] of [
      [2, 0],
      [7, Math.floor(vocab / 2)],
      [64, vocab - 1],
    ] as const) {
      const compiled = compile(sft(), { device, schedule: parts(split) });
      await expectAgreementOf(compiled, completions(vocab, [label]), {}, "gradient sums");
      compiled.dispose();
    }
  });

  it("is shared by more workgroups than it has entries", async () => {
    const compiled = compile(sft(), { device, schedule: parts(64) });
    for (const vocab of [1, 2, 3, 5])
      await expectAgreementOf(compiled, completions(vocab, [vocab - 1]), {}, "gradient sums");
    compiled.dispose();
  });
});

const drawn: Drawn = {
  examples: 2,
  vocab: 211,
  lengths: { w: [2, 1], l: [1, 3] },
  scale: "normal",
  masked: true,
  seed: 3,
};

describe("rows that begin inside a vector", () => {
  it("have their label in any place of any part", async () => {
    // whole blocks, a rest, and what a row shares with its neighbours
    const compiled = compile(sft(), { device, schedule: parts(3, short) });
    const labels = fc.array(fc.nat({ max: drawn.vocab - 1 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(labels, async (own) => {
        await expectAgreementOf(compiled, completions(drawn.vocab, own), {}, "gradient sums");
      }),
      { numRuns: 12 },
    );
    compiled.dispose();
  });

  it("are stored in 16 bits", async () => {
    const compiled = compile(wpo({ stop: false }), { device, schedule: parts(5, paired) });
    // of 216 entries eight are loaded at once, and none of 211
    for (const [dtype, vocab] of [
      ["bf16", 211],
      ["f16", 211],
      ["bf16", 216],
    ] as const) {
      const batch = storedAs(asTrl(contentOf({ ...drawn, vocab })), { policy: dtype, ref: "f32" });
      await expectAgreementOf(compiled, batch, {}, "gradient sums");
    }
    compiled.dispose();
  });

  it("give the same bits with the gradient in the place of the logits", async () => {
    // tdpo2 reads both models in one loop and writes from both
    for (const objective of [wpo(), tdpo2()]) {
      const compiled = compile(objective, { device, schedule: parts(5, short) });
      const host = asSeparate(contentOf({ ...drawn, masked: false }));
      const apart = await compiled.valueAndGrad(host);
      const batch = onDevice(host, device);
      const into = Object.fromEntries(
        policyTensors(batch).map(({ name, data }) => [name, data as GPUBuffer]),
      );
      const over = await compiled.valueAndGrad(batch, { into });
      expect(over.loss).toBe(apart.loss);
      for (const tensor of policyTensors(batch)) {
        const found = await heldIn(device, tensor.data as GPUBuffer, tensor, drawn.vocab);
        expect(found).toEqual(apart.gradients[tensor.name]);
      }
      freed(batch);
      compiled.dispose();
    }
  });
});

describe("an entry of one part", () => {
  const compiledWith = (split: number) => compile(sft(), { device, schedule: parts(split, short) });

  it("that is no number is reported as it is without parts", async () => {
    const [whole, shared] = [compiledWith(1), compiledWith(4)];
    const said = async (run: Promise<unknown>): Promise<string> =>
      await run.then(
        () => "nothing",
        (error: unknown) => (error instanceof PrefcError ? error.message : String(error)),
      );
    for (const [entry, value] of [
      [0, Number.NaN],
      [120, Infinity],
      [drawn.vocab - 1, Number.NaN],
    ] as const) {
      const batch = completions(drawn.vocab, [7, 11]);
      const binding = batch.inputs["policy.logits.w"]!;
      if (binding.height !== "logits") throw new Error("logits expected");
      (binding.tensor.data as Float32Array)[drawn.vocab + entry] = value;
      const sentence = await said(whole.value(batch, { locate: true }));
      expect(sentence).toContain(`column ${entry} is ${value}`);
      expect(await said(shared.value(batch, { locate: true }))).toBe(sentence);
    }
    for (const one of [whole, shared]) one.dispose();
  });

  it("may be the only one that is not masked", async () => {
    const compiled = compiledWith(4);
    for (const label of [0, 60, 120, 180, drawn.vocab - 1]) {
      const batch = completions(drawn.vocab, [label]);
      const binding = batch.inputs["policy.logits.w"]!;
      if (binding.height !== "logits") throw new Error("logits expected");
      (binding.tensor.data as Float32Array).fill(-Infinity);
      (binding.tensor.data as Float32Array)[label] = 2.5;
      const { loss, gradients } = await compiled.valueAndGrad(batch);
      expect(Math.abs(loss)).toBe(0);
      expect((gradients["policy.w"] as Float32Array).every((g) => g === 0)).toBe(true);
    }
    compiled.dispose();
  });
});

describe("many rows", () => {
  it("past 65,535 workgroups along a dimension, each in parts", async () => {
    const labels = Array.from({ length: 70_000 }, (_, t) => (t * 7) % 5);
    const batch = completions(5, labels);
    const results = [];
    for (const split of [1, 3]) {
      const compiled = compile(sft(), { device, schedule: parts(split) });
      results.push(await compiled.valueAndGrad(batch));
      compiled.dispose();
    }
    const [whole, shared] = results as [(typeof results)[0], (typeof results)[0]];
    expect(lossError(shared.loss, whole.loss)).toBeLessThan(1e-6);
    // where all entries are in one part, nothing is added in another order
    expect(shared.gradients["policy.w"]).toEqual(whole.gradients["policy.w"]);
  });
});
