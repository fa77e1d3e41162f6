// How logits and their gradients lie in memory. Arithmetic is always in f32 (and in float64 in the interpreter):
// a storage type says only which numbers a place can hold and how many bytes it takes. The 16-bit types are
// handed over as raw bits in a Uint16Array, because JavaScript has no array of them everywhere.

import { describe } from "./describe.ts";
import { fail } from "./error.ts";
import { didYouMean } from "./names.ts";
import { cite } from "./quote.ts";

/** "f32"; "f16", IEEE half precision; "bf16", the upper half of an f32. */
export type StorageType = "f32" | "f16" | "bf16";
/** The types that take 16 bits. */
export type HalfType = Exclude<StorageType, "f32">;

export const storageTypes: readonly StorageType[] = ["f32", "f16", "bf16"];

/** What other libraries call the types. */
const otherNames: Readonly<Record<string, StorageType>> = {
  float32: "f32",
  float: "f32",
  float16: "f16",
  half: "f16",
  fp16: "f16",
  bfloat16: "bf16",
  bfloat: "bf16",
};

/** What to say after the name of a type that is none: the types there are, and which one was probably meant. */
export function dtypeAdvice(dtype: unknown, among: readonly StorageType[] = storageTypes): string {
  const bare = typeof dtype === "string" ? dtype.replace(/^torch\./, "").toLowerCase() : "";
  const meant = Object.hasOwn(otherNames, bare) ? otherNames[bare] : undefined;
  const hint =
    meant !== undefined && among.includes(meant)
      ? ` Did you mean ${cite(meant)}?`
      : didYouMean(bare, among);
  return `choose ${among.map((type) => cite(type)).join(" or ")}.${hint}`;
}

const halfTypes: readonly StorageType[] = ["f16", "bf16"];

/** @throws PrefcError not-an-array, unknown-dtype */
function requireHalf(where: string, values: unknown, dtype: HalfType): void {
  if (!Array.isArray(values) && !(ArrayBuffer.isView(values) && "length" in values)) {
    fail("not-an-array", `${where}: the values are ${describe(values)}; give a list of numbers.`);
  }
  if (!halfTypes.includes(dtype)) {
    fail(
      "unknown-dtype",
      `${where}: there is no 16-bit dtype ${cite(dtype)}; ${dtypeAdvice(dtype, halfTypes)}`,
    );
  }
}

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
 * @throws PrefcError not-an-array, unknown-dtype
 * @param values any list of numbers
 */
export function toHalf(values: ArrayLike<number>, dtype: HalfType): Uint16Array<ArrayBuffer> {
  requireHalf("toHalf", values, dtype);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = halfBits(values[i]!, dtype);
  return out;
}

/**
 * The numbers that raw bits of a 16-bit type mean, each exactly: a gradient that was read back, for example.
 * @param half raw bits, one entry each
 */
export function fromHalf(half: Uint16Array, dtype: HalfType): Float32Array<ArrayBuffer> {
  requireHalf("fromHalf", half, dtype);
  const out = new Float32Array(half.length);
  for (let i = 0; i < half.length; i++) out[i] = halfValue(half[i]!, dtype);
  return out;
}
