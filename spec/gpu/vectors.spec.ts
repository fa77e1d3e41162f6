// Rows that begin and end inside a vector: any vocabulary, any place in a tensor, neighbours that hold NaN, that belong to
// another pass or do not exist, buffers that end with the last entry. Nothing outside a row is read into it, each entry of the
// gradient is written by one workgroup, and nothing behind the last row is touched.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogitsTensor } from "../../src/batch/batch.ts";
import {
  compile,
  dpo,
  exp,
  logPi,
  objective,
  sum,
  wpo,
  type Compiled,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreement, expectAgreementOf } from "./agree.ts";
import { asTrl, contentOf, draws, laidOut, layouts } from "./batches.ts";
import { everyUse, freed, onDevice } from "./placed.ts";
import { computed } from "./results.ts";

/** Reads both models in one loop, for one response only: the rows of the other are written by another pass. */
const mixed: Objective = objective(
  "divergence on one response",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const [p, r] = [logPi(policy, y.w), logPi(ref, y.w)];
    return sum("token", sum("vocab", exp(p).times(p.minus(r)))).plus(policy.logps(y.l).times(0.1));
  },
  { source: "written for this test" },
);

let device: Device;
let compiled: Readonly<Record<string, Compiled>>;
withDevice((opened) => {
  device = opened;
  compiled = {
    dpo: compile(dpo(), { device }),
    wpo: compile(wpo({ stop: false }), { device }),
    mixed: compile(mixed, { device }),
    "mixed, few lanes": compile(mixed, { device, schedule: { rowLanes: 2, unroll: 1 } }),
  };
});

const names = fc.constantFrom("dpo", "wpo", "mixed", "mixed, few lanes");
// both models mask the same entries or none: of others the divergence is infinite
const unmasked = draws({ scales: ["normal", "peaked"], masked: false });

describe("a row that is no whole number of vectors", () => {
  it("agrees with the interpreter, whatever lies beside it", async () => {
    await fc.assert(
      fc.asyncProperty(names, unmasked, layouts, async (name, drawn, layout) => {
        const batch = laidOut(contentOf(drawn), layout);
        await expectAgreementOf(compiled[name]!, batch, {}, "gradient sums");
      }),
      { numRuns: 40 },
    );
  });

  it("alone in its tensor agrees as well", async () => {
    for (const vocab of [1, 2, 3, 4, 5, 6, 7, 9, 131]) {
      const drawn = { examples: 1, vocab, lengths: { w: [1], l: [1] }, masked: false, seed: vocab };
      const batch = laidOut(contentOf({ ...drawn, scale: "normal" }), "separate");
      await expectAgreementOf(compiled["mixed"]!, batch, {}, "gradient sums");
    }
  });

  it("agrees where the user's buffers end inside a vector, and so are read one entry at a time", async () => {
    const drawn = { examples: 1, vocab: 37, lengths: { w: [2], l: [1] }, masked: false, seed: 5 };
    const whole = asTrl(contentOf({ ...drawn, scale: "normal" }), { columns: 0, prompt: 1 });
    const { tensor } = whole.inputs["policy.logits.w"] as { tensor: LogitsTensor };
    expect((tensor.rows * drawn.vocab) % 4).not.toBe(0);
    const batch = onDevice(whole, device, () => true, true);
    for (const own of Object.values(compiled)) {
      const result = await own.valueAndGrad(batch, { perExample: true });
      expectAgreement(own.program, whole, {}, computed(result), "gradient sums");
    }
    freed(batch);
  });

  it("is written into a user's buffer and nothing behind it, whether the buffer is longer or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        unmasked,
        fc.integer({ min: 0, max: 9 }),
        async (name, drawn, words) => {
          const batch = asTrl(contentOf(drawn), { columns: 0, prompt: 1 });
          const { tensor } = batch.inputs["policy.logits.w"] as { tensor: LogitsTensor };
          const used = tensor.rows * batch.vocab;
          const size = 4 * (used + words);
          const into = device.gpu.createBuffer({ size, usage: everyUse });
          device.gpu.queue.writeBuffer(into, 0, new Uint32Array(size / 4).fill(0x7fc0dead));
          const kept = await compiled[name]!.valueAndGrad(batch, { into: { policy: into } });
          expect(kept.gradients["policy"]).toBe(into);
          const written = await readBuffer(device, into, 0, size, "reading");
          into.destroy();
          const found = new Uint32Array(written);
          expect(found.subarray(0, used).includes(0x7fc0dead)).toBe(false);
          expect(found.subarray(used).every((word) => word === 0x7fc0dead)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});
