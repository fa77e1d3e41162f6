// How logits and their gradients lie in memory. Arithmetic is always in f32 (and in float64 in the interpreter):
// a storage type says only which numbers a place can hold and how many bytes it takes. The 16-bit types are
// handed over as raw bits in a Uint16Array, because JavaScript has no array of them everywhere.

/** "f32"; "f16", IEEE half precision; "bf16", the upper half of an f32. */
export type StorageType = "f32" | "f16" | "bf16";
/** The types that take 16 bits. */
export type HalfType = Exclude<StorageType, "f32">;

export const storageTypes: readonly StorageType[] = ["f32", "f16", "bf16"];

export const bytesPerEntry = (dtype: StorageType): number => (dtype === "f32" ? 4 : 2);

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The number that 16 bits mean. */
export function halfValue(half: number, dtype: HalfType): number {
  if (dtype === "bf16") {
    bits[0] = half << 16;
    return single[0]!;
  }
  const sign = half >= 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * The bits of an f32 that rounds as the number itself does to any narrower type: cut off, with the last bit set where
 * something was cut off. Rounding to the nearest f32 first, and then again, could go the wrong way at a tie.
 */
function cutBits(value: number): number {
  single[0] = value;
  const rounded = bits[0]!;
  if (single[0] === value || Number.isNaN(value)) return rounded;
  const cut = Math.abs(single[0]) > Math.abs(value) ? rounded - 1 : rounded;
  return cut | 1;
}

/** The 16 bits of the nearest number of the type; of two equally near ones, the one whose last bit is 0. */
export function halfBits(value: number, dtype: HalfType): number {
  const all = cutBits(value);
  const sign = (all >>> 16) & 0x8000;
  const magnitude = all & 0x7fffffff;
  if (dtype === "bf16") {
    if (magnitude > 0x7f800000) return sign | 0x7fc0;
    return sign | ((magnitude + 0x7fff + ((magnitude >> 16) & 1)) >>> 16);
  }
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  }
  // below 2^-14 a unit is 2^-24, whatever the exponent
  const shift = 126 - (magnitude >> 23);
  if (shift > 25) return sign;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const half = (1 << (shift - 1)) - 1 + ((significand >> shift) & 1);
  return sign | ((significand + half) >> shift);
}

/**
 * Numbers as raw bits of a 16-bit type, rounded to the nearest and at a tie to the even one, as logits are given to a
 * batch with `dtype`. What is too large becomes ±Infinity, from 65,520 on for "f16".
 * @param values any list of numbers
 */
export function toHalf(values: ArrayLike<number>, dtype: HalfType): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = halfBits(values[i]!, dtype);
  return out;
}

/**
 * The numbers that raw bits of a 16-bit type mean, each exactly: a gradient that was read back, for example.
 * @param half raw bits, one entry each
 */
export function fromHalf(half: Uint16Array, dtype: HalfType): Float32Array<ArrayBuffer> {
  const out = new Float32Array(half.length);
  for (let i = 0; i < half.length; i++) out[i] = halfValue(half[i]!, dtype);
  return out;
}
