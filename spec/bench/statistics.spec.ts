// Medians, percentiles and ratios over rounds of the benchmark.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  medianOf,
  pairedRatio,
  ratio,
  times,
  unpairedRatio,
  verdictOf,
} from "../../src/bench/statistics.ts";
import { random } from "../../src/sample/random.ts";

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

/** Times of a machine that is disturbed now and then, as a seed determines them. */
const disturbed = (seed: number, count: number, ms: number): number[] => {
  const from = random(seed, 1);
  return Array.from({ length: count }, () => {
    const noise = 1 + 0.02 * from.normal();
    return ms * noise * (from.uniform() < 0.1 ? 3 : 1);
  });
};

describe("intervals and verdicts", () => {
  it("has no interval of fewer than six samples, and one from the least to the largest of six", () => {
    expect(medianOf([3, 1, 2, 5, 4]).interval).toBeNull();
    expect(medianOf([3, 1, 2, 5, 4, 6]).interval).toEqual([1, 6]);
    // Conover 1999, table A3: of 15 values the fourth smallest and the fourth largest
    expect(medianOf(Array.from({ length: 15 }, (_, i) => i + 1)).interval).toEqual([4, 12]);
  });

  it("holds the true median about 19 times of 20", () => {
    const held = Array.from({ length: 400 }, (_, seed) => {
      const from = random(seed, 2);
      const [low, high] = medianOf(Array.from({ length: 15 }, () => from.normal())).interval!;
      return low <= 0 && 0 <= high;
    });
    const share = held.filter(Boolean).length / held.length;
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.995);
  });

  it("cannot tell a thing from itself at least nine times of ten, and tells 5 % at least nine times", () => {
    const verdicts = Array.from({ length: 200 }, (_, seed) => {
      const [one, other] = [disturbed(2 * seed, 21, 1), disturbed(2 * seed + 1, 21, 1)];
      const slowed = other.map((ms) => 1.05 * ms);
      return [verdictOf(pairedRatio(other, one)), verdictOf(pairedRatio(slowed, one))];
    });
    const share = (column: number, verdict: string): number =>
      verdicts.filter((row) => row[column] === verdict).length / verdicts.length;
    expect(share(0, "cannot tell")).toBeGreaterThanOrEqual(0.9);
    expect(share(1, "slower")).toBeGreaterThanOrEqual(0.9);
  });

  it("tells runs apart that were not interleaved, and calls the inverse the opposite", () => {
    const verdicts = Array.from({ length: 200 }, (_, seed) => {
      const [base, slow] = [disturbed(2 * seed, 15, 1), disturbed(2 * seed + 1, 15, 1.2)];
      return [verdictOf(unpairedRatio(slow, base)), verdictOf(unpairedRatio(base, slow))];
    });
    const told = verdicts.filter(([there, back]) => there === "slower" && back === "faster");
    expect(told.length / verdicts.length).toBeGreaterThanOrEqual(0.95);
    expect(unpairedRatio([1, 2], [1, 2])?.interval).toBeNull();
    expect(verdictOf(unpairedRatio([1], [9]))).toBe("cannot tell");
    expect(verdictOf(null)).toBe("cannot tell");
  });
});
