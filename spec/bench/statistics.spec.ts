// Medians, percentiles and ratios over rounds of the benchmark.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ratio, times } from "../../bench/statistics.ts";

const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe("statistics", () => {
  it("orders the percentiles, and takes the middle of odd numbers of samples", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 20 }), (samples) => {
        const { median, p20, p80 } = times(samples);
        expect(p20).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(p80);
        const sorted = samples.toSorted((a, b) => a - b);
        if (samples.length % 2 === 1) expect(median).toBe(sorted[samples.length >> 1]);
      }),
    );
    expect(times([4, 1, 3, 2, 5, 6])).toEqual({ median: 3.5, p20: 2, p80: 5 });
    expect(() => times([])).toThrow("nothing was measured");
  });

  it("knows the ratio of providers whose machine changes its speed from round to round", () => {
    const round = fc.tuple(positive, fc.constantFrom(1, 7, 50));
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 15 }), positive, (rounds, factor) => {
        const slow = rounds.map(([ms, drift]) => ms * drift * factor);
        const fast = rounds.map(([ms, drift]) => ms * drift);
        expect(ratio(slow, fast)).toBeCloseTo(factor, 9);
      }),
    );
    expect(ratio([1], undefined)).toBeNull();
    expect(ratio([1, 2], [0, 2])).toBe(1);
  });
});
