// Waiting for the GPU and reading back: the bytes that come, and the ways in which a wait ends without them.
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openDevice } from "../../src/runtime/device/open.ts";
import type { Device } from "../../src/runtime/device/device.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { finished, sleepThenAwait } from "../../src/runtime/device/wait.ts";
import { createPipeline } from "../../src/runtime/shaders/shaders.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { withDevice } from "../support/device.ts";

const { storage, copySource, copyTarget } = bufferUsage;

let device: Device;

withDevice((opened) => {
  device = opened;
});

const bufferOn = (gpu: GPUDevice, size: number): GPUBuffer =>
  gpu.createBuffer({ label: "result", size, usage: storage | copySource | copyTarget });

describe("reading a buffer back", () => {
  it("gives the bytes that were written, from any offset", async () => {
    const words = fc.uint32Array({ minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(words, fc.nat(), fc.nat(), async (written, first, count) => {
        const start = first % written.length;
        const end = start + 1 + (count % (written.length - start));
        const buffer = bufferOn(device.gpu, written.byteLength);
        device.gpu.queue.writeBuffer(buffer, 0, written);
        const bytes = await readBuffer(device, buffer, 4 * start, 4 * (end - start), "reading", {
          key: "spec",
        });
        expect([...new Uint32Array(bytes)]).toEqual([...written.subarray(start, end)]);
        buffer.destroy();
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [-4, 4],
    [0, 0],
    [0, 20],
    [16, 4],
    [2, 4],
    [0, 3],
    [Number.NaN, 4],
  ])("refuses the range from %d of %d bytes in a buffer of 16", async (offset, length) => {
    const buffer = bufferOn(device.gpu, 16);
    const reading = readBuffer(device, buffer, offset, length, "reading");
    await expect(reading).rejects.toMatchObject({ code: "readback-invalid" });
    await expect(reading).rejects.toThrow('"result" of 16 bytes');
    buffer.destroy();
  });

  it("refuses a buffer that cannot be copied from", async () => {
    const buffer = device.gpu.createBuffer({ size: 16, usage: storage });
    const reading = readBuffer(device, buffer, 0, 16, "reading");
    await expect(reading).rejects.toMatchObject({ code: "readback-invalid" });
    await expect(reading).rejects.toThrow("COPY_SRC");
    buffer.destroy();
  });

  it("says so when the buffer being read is destroyed meanwhile", async () => {
    const staging = device.gpu.createBuffer({ size: 16, usage: bufferUsage.mapRead | copyTarget });
    const waiting = sleepThenAwait(device, "reading", () => staging.mapAsync(1));
    staging.destroy();
    await expect(waiting).rejects.toMatchObject({ code: "gpu-aborted" });
  });
});

describe("a device lost during a readback", () => {
  const loop = `
@group(0) @binding(0) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(1) fn main() {
  var x = result[0];
  for (var i = 0u; i < 3000000u; i += 1u) { x = x * 1664525u + 1013904223u; }
  result[0] = x;
}`;

  it("ends the wait in a typed error, with the queue empty or busy", async () => {
    for (const busy of [false, true]) {
      const doomed = await openDevice();
      const buffer = bufferOn(doomed.gpu, 16);
      if (busy) {
        const pipeline = await createPipeline(doomed, loop, "loop");
        const encoder = doomed.gpu.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(
          0,
          doomed.gpu.createBindGroup({
            layout: pipeline.getBindGroupLayout(0),
            entries: [{ binding: 0, resource: { buffer } }],
          }),
        );
        pass.dispatchWorkgroups(1);
        pass.end();
        doomed.gpu.queue.submit([encoder.finish()]);
      }
      const reading = readBuffer(doomed, buffer, 0, 16, "reading the loss");
      doomed.gpu.destroy();
      await expect(reading).rejects.toMatchObject({ code: "device-lost" });
      await expect(reading).rejects.toThrow(`${doomed.line} was lost while reading the loss`);
    }
  });

  it("is noticed before anything is submitted afterwards", async () => {
    const doomed = await openDevice();
    const buffer = bufferOn(doomed.gpu, 16);
    doomed.gpu.destroy();
    await doomed.lost;
    const code = "device-lost";
    await expect(readBuffer(doomed, buffer, 0, 16, "reading")).rejects.toMatchObject({ code });
    await expect(finished(doomed, "running")).rejects.toMatchObject({ code });
    await expect(createPipeline(doomed, loop, "loop")).rejects.toMatchObject({ code });
    doomed.dispose();
  });

  it("is told from one that its owner disposed of", async () => {
    const doomed = await openDevice();
    const reading = readBuffer(doomed, bufferOn(doomed.gpu, 16), 0, 16, "reading the loss");
    doomed.dispose();
    const code = "used-after-dispose";
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toThrow("was disposed of while reading the loss");
    await expect(finished(doomed, "running")).rejects.toMatchObject({ code });
  });

  it("is noticed at once by a wait that sleeps or never settles", async () => {
    const doomed = await openDevice();
    const waiting = sleepThenAwait(doomed, "waiting", () => new Promise<never>(() => undefined));
    doomed.gpu.destroy();
    await expect(waiting).rejects.toMatchObject({ code: "device-lost" });
  });
});

describe("a wait", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is bounded", async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const waiting = sleepThenAwait(device, "running forever", never, { timeoutMs: 10 });
    await expect(waiting).rejects.toMatchObject({ code: "gpu-timeout" });
    await expect(waiting).rejects.toThrow("running forever within 0.01 s");
  });

  it("passes on what else goes wrong", async () => {
    const waiting = sleepThenAwait(device, "waiting", () => Promise.reject(new RangeError("odd")));
    await expect(waiting).rejects.toThrow(RangeError);
  });

  describe("of work that was waited for before", () => {
    let begun = 0;
    const work = (milliseconds: number) => (): Promise<void> => {
      begun += 1;
      // a timer of 0 ms takes up to one, which is not "done already"
      if (milliseconds === 0) return Promise.resolve();
      return new Promise((resolve) => {
        setTimeout(resolve, milliseconds);
      });
    };
    const wait = async (key: string, milliseconds: number): Promise<void> => {
      const waiting = sleepThenAwait(device, "running", work(milliseconds), { key });
      // far beyond any wait here, and far below the limit of a wait
      await vi.advanceTimersByTimeAsync(2000);
      await waiting;
    };

    it("sleeps through nine tenths of the shorter of the last two durations before it makes the loop poll", async () => {
      vi.useFakeTimers();
      await wait("a kernel", 500);
      await wait("a kernel", 100);
      begun = 0;
      const third = sleepThenAwait(device, "running", work(10), { key: "a kernel" });
      await vi.advanceTimersByTimeAsync(89);
      expect(begun).toBe(0);
      await vi.advanceTimersByTimeAsync(1);
      expect(begun).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      await third;
    });

    it("does not go by a single duration, nor by another key's", async () => {
      vi.useFakeTimers();
      await wait("a first run", 500);
      begun = 0;
      const second = sleepThenAwait(device, "running", work(1), { key: "a first run" });
      expect(begun).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      await second;
    });

    it("expects a little less when the work was done before it woke", async () => {
      vi.useFakeTimers();
      await wait("a faster kernel", 200);
      await wait("a faster kernel", 200);
      await wait("a faster kernel", 0);
      begun = 0;
      const next = sleepThenAwait(device, "running", work(1), { key: "a faster kernel" });
      // nine tenths of 95 % of 200 ms are 171, to the millisecond that timers are good to
      await vi.advanceTimersByTimeAsync(169);
      expect(begun).toBe(0);
      await vi.advanceTimersByTimeAsync(4);
      expect(begun).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      await next;
    });

    it("sleeps past the expected end when nothing may disturb what is measured", async () => {
      vi.useFakeTimers();
      await wait("a measured kernel", 200);
      await wait("a measured kernel", 200);
      begun = 0;
      const options = { key: "a measured kernel", throughout: true };
      const next = sleepThenAwait(device, "running", work(1), options);
      await vi.advanceTimersByTimeAsync(228);
      expect(begun).toBe(0);
      await vi.advanceTimersByTimeAsync(4);
      expect(begun).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      await next;
    });
  });
});
