// How a buffer is cut into workgroups when an adapter's rates are measured, and that rates come out of a real adapter.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cut, measureRates } from "../../src/measure/ceilings.ts";
import { usingDevice } from "../support/device.ts";

describe("ceilings", () => {
  it("move nearly all of a buffer, never past its end or the binding, in one dispatch", () => {
    const bytes = fc.oneof(
      fc.integer({ min: 16, max: 2 ** 20 }),
      fc.integer({ min: 16, max: 2 ** 40 }),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(2 ** 27, 2 ** 31, Infinity), (size, most) => {
        const { groups, vectors } = cut(size, most);
        const moved = groups * vectors * 16;
        const whole = Math.min(size, most);
        expect(groups).toBeLessThanOrEqual(65_535);
        expect(moved).toBeLessThanOrEqual(whole);
        expect(moved).toBeGreaterThan(whole - 16 * (groups + 1));
      }),
    );
  });

  it("are measured as rates above 0 of a buffer of at most 128 MiB", () =>
    usingDevice(async (device) => {
      const { read_gb_s, copy_gb_s, bytes, clock } = await measureRates(device);
      expect(read_gb_s).toBeGreaterThan(0);
      expect(copy_gb_s).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(2 ** 27);
      expect(clock).toBe(device.features.includes("timestamp-query") ? "gpu" : "wall");
    }));
});
