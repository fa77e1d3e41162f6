// Logits and gradients in 16 bits: for random shapes, lengths, layouts and storage types, what a run gives agrees with the
// interpreter on the very numbers that the bits mean, the gradient to half a unit of its type more.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, dpo, tdpo2, wpo, type Device } from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { asSeparate, asTrl, contentOf, draws, laidOut, layouts, storedAs } from "./batches.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const dtypes = fc.constantFrom("f32", "f16", "bf16");
const types = fc.record({ policy: dtypes, ref: dtypes });

describe("logits and gradients of any storage type agree with the interpreter", () => {
  it.each([
    { name: "dpo", objective: dpo(), options: {} },
    { name: "wpo, differentiated weights", objective: wpo({ stop: false }), options: {} },
    // an entry that only one model masks makes a divergence infinite
    { name: "tdpo2, both models in one loop", objective: tdpo2(), options: { masked: false } },
  ])("$name", async ({ objective, options }) => {
    const own = compile(objective, { device });
    await fc.assert(
      fc.asyncProperty(draws(options), layouts, types, async (drawn, layout, stored) => {
        const batch = storedAs(laidOut(contentOf(drawn), layout), stored);
        await expectAgreementOf(own, batch, {}, "gradient sums");
      }),
      { numRuns: 16 },
    );
    own.dispose();
  });
});

describe("rows that are pairs of vectors, which lanes load at once", () => {
  // less than a block, blocks and a rest that lanes share unevenly, and rows in parts
  it.each([{}, { rowLanes: 4, unroll: 2 }, { rowLanes: 8, unroll: 6, split: 3 }, { unroll: 1 }])(
    "agree with the interpreter under %j",
    async (schedule) => {
      const own = compile(tdpo2(), { device, schedule });
      const wide = draws({ masked: false }).chain((drawn) =>
        fc.constantFrom(8, 24, 264, 1096).map((vocab) => ({ ...drawn, vocab })),
      );
      await fc.assert(
        fc.asyncProperty(
          wide,
          layouts,
          fc.constantFrom("f16", "bf16"),
          async (drawn, layout, dtype) => {
            const batch = storedAs(laidOut(contentOf(drawn), layout), {
              policy: dtype,
              ref: dtype,
            });
            await expectAgreementOf(own, batch, {}, "gradient sums");
          },
        ),
        { numRuns: 6 },
      );
      own.dispose();
    },
  );
});

describe("what is read back of a gradient in 16 bits", () => {
  it("is raw bits, one for each logit, even of an odd number of them", async () => {
    const content = contentOf({
      examples: 1,
      vocab: 7,
      lengths: { w: [3], l: [2] },
      scale: "normal",
      masked: false,
      seed: 5,
    });
    const own = compile(dpo(), { device });
    for (const dtype of ["f16", "bf16"] as const) {
      const batch = storedAs(asSeparate(content), { policy: dtype, ref: "f32" });
      const { gradients } = await own.valueAndGrad(batch);
      expect(gradients["policy.w"]).toBeInstanceOf(Uint16Array);
      expect((gradients["policy.w"] as Uint16Array).length).toBe(21);
    }
    own.dispose();
  });
});

describe("a bad logit in 16 bits", () => {
  const drawn = {
    examples: 2,
    lengths: { w: [2, 1], l: [1, 2] },
    scale: "normal",
    masked: false,
    seed: 8,
  } as const;
  it.each([
    ["f16", 0x7e00, "NaN"],
    ["f16", 0x7c00, "Infinity"],
    ["bf16", 0xffff, "NaN"],
    ["bf16", 0x7f80, "Infinity"],
  ] as const)("of %s, bits %i, is found as %s in its column", async (dtype, bits, said) => {
    const own = compile(dpo(), { device });
    for (const vocab of [16, 17]) {
      const batch = storedAs(asTrl(contentOf({ ...drawn, vocab })), { policy: dtype, ref: dtype });
      const { tensor, rowIndex } = batch.inputs["ref.logits.l"] as {
        tensor: { data: Uint16Array };
        rowIndex: Uint32Array;
      };
      tensor.data[rowIndex[1]! * vocab + 5] = bits;
      const running = own.value(batch, { locate: true });
      await expect(running).rejects.toMatchObject({ code: "logits-not-finite" });
      await expect(running).rejects.toThrow(`The ref logit at column 5 is ${said}`);
    }
    own.dispose();
  });

  it("that is the label's own −Infinity is called impossible", async () => {
    const own = compile(dpo(), { device });
    const batch = storedAs(asTrl(contentOf({ ...drawn, vocab: 16 })), {
      policy: "bf16",
      ref: "f32",
    });
    const { tensor, rowIndex } = batch.inputs["policy.logits.w"] as {
      tensor: { data: Uint16Array };
      rowIndex: Uint32Array;
    };
    tensor.data[rowIndex[0]! * 16 + batch.responses["w"]!.labels[0]!] = 0xff80;
    await expect(own.value(batch)).rejects.toMatchObject({ code: "label-impossible" });
    own.dispose();
  });
});
