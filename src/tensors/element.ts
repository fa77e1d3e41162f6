// The types of numbers that tensors in files have, and what their bytes mean. 16-bit types keep their raw bits, as logits do
// everywhere in prefc; all others become the numbers that they are, and 64-bit integers those that float64 can hold.

import { halfValue } from "../core/storage.ts";

/** "raw16" are two bytes of a type that the file does not name, as numpy writes bfloat16. */
export const elementTypes = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  raw16: 2,
  i64: 8,
  u64: 8,
  i32: 4,
  u32: 4,
  i16: 2,
  u16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
} as const;
export type ElementType = keyof typeof elementTypes;

/** Turns the bytes of each element around, for files in the other order; this machine's is the little-endian one. */
export function swapped(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}

/** Elements as they are stored. */
export type Stored =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>;

/** The elements of a floating type as they are stored, 16-bit ones as raw bits; null for whole numbers of other sizes. */
export function storedElements(bytes: Uint8Array<ArrayBuffer>, type: ElementType): Stored | null {
  switch (type) {
    case "f64":
      return new Float64Array(bytes.buffer);
    case "f32":
      return new Float32Array(bytes.buffer);
    case "f16":
    case "bf16":
    case "raw16":
    case "i16":
    case "u16":
      return new Uint16Array(bytes.buffer);
    default:
      return null;
  }
}

/** The numbers that bytes mean. */
export function numbersOf(
  bytes: Uint8Array<ArrayBuffer>,
  type: ElementType,
): Float64Array<ArrayBuffer> {
  const { buffer } = bytes;
  switch (type) {
    case "f64":
      return new Float64Array(buffer);
    case "f32":
      return Float64Array.from(new Float32Array(buffer));
    case "f16":
    case "bf16":
      return Float64Array.from(new Uint16Array(buffer), (bits) => halfValue(bits, type));
    case "raw16":
    case "u16":
      return Float64Array.from(new Uint16Array(buffer));
    case "i16":
      return Float64Array.from(new Int16Array(buffer));
    case "i64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case "u64":
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case "i32":
      return Float64Array.from(new Int32Array(buffer));
    case "u32":
      return Float64Array.from(new Uint32Array(buffer));
    case "i8":
      return Float64Array.from(new Int8Array(buffer));
    case "u8":
    case "bool":
      return Float64Array.from(bytes);
  }
}
