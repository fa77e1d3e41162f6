// What is compared of a number that was rounded to 16 bits when it was stored.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unrounded } from "../../src/check/unrounded.ts";
import { halfBits, halfValue } from "../../src/core/storage.ts";

describe.each(["f16", "bf16"] as const)("a number stored as %s", (dtype) => {
  // f16 has no number above 65,504
  const numbers = fc.double({ noNaN: true, min: -6.5e4, max: 6.5e4 });

  it("is taken for the right one where that rounds to the same bits", () => {
    fc.assert(
      fc.property(numbers, (right) => {
        expect(unrounded(halfBits(right, dtype), dtype, right)).toBe(right + 0);
      }),
    );
  });

  it("is never taken for one that is further from the right one than what was stored", () => {
    fc.assert(
      fc.property(numbers, numbers, (given, right) => {
        const near = unrounded(halfBits(given, dtype), dtype, right);
        expect(Math.abs(near - right)).toBeLessThanOrEqual(Math.abs(given - right));
        // it rounds to what is there, or is the tie beyond which numbers do
        const rounded = halfValue(halfBits(near, dtype), dtype);
        const stored = halfValue(halfBits(given, dtype), dtype);
        if (rounded !== stored) expect(near).toBe((rounded + stored) / 2);
      }),
    );
  });

  it("stays NaN, which is far from any number", () => {
    expect(unrounded(halfBits(NaN, dtype), dtype, 1)).toBeNaN();
  });
});
