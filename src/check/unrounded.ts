// Errors of numbers that were rounded to 16 bits when they were stored. What a kernel computed in f32 is not known any
// more, only an interval of numbers that round to what is there; the one nearest to the right value is what is compared,
// so that the bound of the arithmetic holds as it is and half a unit of the storage type is added where it applies.

import { halfValue, type HalfType } from "../core/storage.ts";

/** Bits of the largest finite number of a type, and where the next one would be. */
const largest: Readonly<Record<HalfType, { readonly bits: number; readonly next: number }>> = {
  f16: { bits: 0x7bff, next: 2 ** 16 },
  bf16: { bits: 0x7f7f, next: 2 ** 128 },
};

/** The number nearest to `right` that rounds to these 16 bits; NaN for those of NaN. */
export function unrounded(bits: number, dtype: HalfType, right: number): number {
  const size = bits & 0x7fff;
  const top = largest[dtype];
  const at = (of: number): number => (of > top.bits ? top.next : halfValue(of, dtype));
  if (Number.isNaN(halfValue(bits, dtype))) return NaN;
  const sign = bits === size ? 1 : -1;
  const from = size === 0 ? -at(1) / 2 : (at(size - 1) + at(size)) / 2;
  const to = size > top.bits ? Infinity : (at(size) + at(size + 1)) / 2;
  return sign * Math.min(Math.max(sign * right, from), to);
}

/** `unrounded` of every entry of a gradient that was read back. */
export const unroundedAll = (
  gradient: Uint16Array,
  dtype: HalfType,
  right: ArrayLike<number>,
): Float64Array =>
  Float64Array.from(gradient, (bits, entry) => unrounded(bits, dtype, right[entry]!));
