// The 16-bit types on the host: what bits mean, and that rounding goes to the nearest number and at a tie to the even one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalf, halfBits, halfValue, toHalf, type HalfType } from "../../src/core/storage.ts";

const types = ["f16", "bf16"] as const;
const every = Array.from({ length: 0x10000 }, (_, bits) => bits);
/** Bits of the largest finite number, below which the bits of positive numbers ascend with their value. */
const largest: Readonly<Record<HalfType, number>> = { f16: 0x7bff, bf16: 0x7f7f };
/** Where the next number after the largest would be: from half-way to it on, a number rounds to infinity. */
const beyond: Readonly<Record<HalfType, number>> = { f16: 2 ** 16, bf16: 2 ** 128 };
const above = (bits: number, dtype: HalfType): number =>
  bits === largest[dtype] ? beyond[dtype] : halfValue(bits + 1, dtype);
/** The next float64 up and down. */
const moved = (x: number, by: 1 | -1): number => {
  const view = new BigInt64Array(Float64Array.of(x).buffer);
  view[0]! += BigInt(by);
  return new Float64Array(view.buffer)[0]!;
};

describe.each(types)("%s", (dtype) => {
  it("means what IEEE 754 says of its exponent and fraction", () => {
    const [exponentBits, fractionBits] = dtype === "f16" ? [5, 10] : [8, 7];
    const bias = 2 ** (exponentBits - 1) - 1;
    const wrong = every.filter((bits) => {
      const sign = bits >> 15 === 0 ? 1 : -1;
      const exponent = (bits >> fractionBits) % 2 ** exponentBits;
      const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
      const special = exponent === 2 ** exponentBits - 1;
      const finite =
        exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
      const meant = special ? (fraction === 0 ? Infinity : NaN) : finite;
      return !Object.is(halfValue(bits, dtype), sign * meant);
    });
    expect(wrong).toEqual([]);
  });

  it("keeps every number that it has", () => {
    const wrong = every.filter((bits) => {
      const value = halfValue(bits, dtype);
      const kept = halfBits(value, dtype);
      return Number.isNaN(value) ? !Number.isNaN(halfValue(kept, dtype)) : kept !== bits;
    });
    expect(wrong).toEqual([]);
  });

  it("rounds up from above the middle, down from below it, and to the even one at it", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits <= largest[dtype]; bits++) {
      const middle = halfValue(bits, dtype) / 2 + above(bits, dtype) / 2;
      for (const [sign, set] of [
        [1, 0],
        [-1, 0x8000],
      ] as const) {
        const [low, at, high] = toHalf(
          [moved(middle, -1), middle, moved(middle, 1)].map((x) => sign * x),
          dtype,
        );
        if (low !== set + bits || at !== set + bits + (bits % 2) || high !== set + bits + 1)
          wrong.push(set + bits);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps the order and the sign of numbers", () => {
    const numbers = fc.double({ noNaN: true });
    fc.assert(
      fc.property(numbers, numbers, (x, y) => {
        const [low, high] = [Math.min(x, y), Math.max(x, y)];
        const bits = toHalf([low, high], dtype);
        const rounded = fromHalf(bits, dtype);
        expect(rounded[0]!).toBeLessThanOrEqual(rounded[1]!);
        expect(bits[0]! >> 15).toBe(low < 0 || Object.is(low, -0) ? 1 : 0);
      }),
    );
  });
});
