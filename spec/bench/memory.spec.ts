// A GPU that has no room for what is measured says so late, in an error scope: benchmarks and tune end in one sentence then, instead
// of blaming buffers that were never made.
import { expect, it } from "vitest";
import { uploadLogits } from "../../src/bench/logits.ts";
import type { Device } from "../../src/index.ts";
import { bench } from "../../src/tune/measure.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** The same device, whose memory is full: no buffer is made, and the scope that watches memory says so. */
function full(): { readonly full: Device; readonly destroyed: () => number } {
  let destroyed = 0;
  const invalid = { destroy: () => destroyed++ };
  const gpu = {
    limits: device.gpu.limits,
    queue: { writeBuffer: () => undefined },
    createBuffer: () => invalid,
    pushErrorScope: () => undefined,
    popErrorScope: async () => ({ message: "no room" }),
  };
  return {
    full: { ...device, gpu: gpu as unknown as GPUDevice },
    destroyed: () => destroyed,
  };
}

it("ends a benchmark in a sentence, and keeps no buffer", async () => {
  const { full: own, destroyed } = full();
  await expect(uploadLogits(own, 40, 96, "f32", "uniform")).rejects.toThrow(
    /^--rows 40 --vocab 96: three tensors of 15360 bytes do not fit the memory of .*; measure fewer rows: no room$/,
  );
  expect(destroyed()).toBe(3);
});

it("ends tune in a sentence, and keeps no buffer", async () => {
  const { full: own, destroyed } = full();
  await expect(bench(own, { vocab: 96, rows: 40, dtype: "f32" })).rejects.toMatchObject({
    code: "gpu-out-of-memory",
    message: expect.stringMatching(
      /no memory left while taking six buffers for 40 rows, too many --rows on .*: no room$/,
    ) as string,
  });
  expect(destroyed()).toBe(6);
});
