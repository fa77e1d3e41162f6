// A tensor in a file: its name, type and extents, and its elements by ranges in the order of rows. What lies in the order of
// columns is read once as a whole and turned around.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import {
  elementTypes,
  numbersOf,
  storedElements,
  swapped,
  type ElementType,
  type Stored,
} from "./element.ts";

/** A tensor as a file describes it. */
export interface Described {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Whether the first axis is the one whose elements are neighbours. */
  readonly byColumns: boolean;
  readonly bigEndian: boolean;
  /** Bytes of its data, counted from their beginning. */
  readonly bytes: (from: number, length: number) => Uint8Array<ArrayBuffer>;
}
export interface FileTensor extends Pick<Described, "name" | "type" | "shape"> {
  /** The product of its extents. */
  readonly count: number;
  /** Elements from one position on, as numbers; all of them unless it is said which. */
  readonly numbers: (from?: number, count?: number) => Float64Array<ArrayBuffer>;
  /** The same as they are stored, 16-bit types as raw bits. @throws PrefcError "tensor-type" for whole numbers */
  readonly stored: (from?: number, count?: number) => Stored;
}
export interface TensorFile {
  /** The path, as sentences name it. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly close: () => void;
}

/** The most extents that a tensor may have. */
export const mostExtents = 8;

/** The product of extents; Infinity where it is no whole number that float64 holds. */
export function countOf(shape: readonly number[]): number {
  // an extent of 0 leaves nothing, however large the others are
  if (shape.includes(0)) return 0;
  const count = shape.reduce((product, extent) => product * extent, 1);
  return Number.isSafeInteger(count) ? count : Infinity;
}

/** The tensor of a description whose extents were checked. */
export function tensorOf(file: string, described: Described): FileTensor {
  const { name, type, shape, byColumns, bigEndian } = described;
  const count = countOf(shape);
  const size = elementTypes[type];
  let turned: Uint8Array<ArrayBuffer> | undefined;
  const plain = (from: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = described.bytes(from * size, length * size);
    return bigEndian ? swapped(bytes, size) : bytes;
  };
  const bytesOf = (from: number, length: number): Uint8Array<ArrayBuffer> => {
    if (!byColumns || shape.length < 2) return plain(from, length);
    turned ??= inRows(plain(0, count), shape, size);
    return turned.slice(from * size, (from + length) * size);
  };
  return {
    name,
    type,
    shape,
    count,
    numbers: (from = 0, length = count - from) => numbersOf(bytesOf(from, length), type),
    stored: (from = 0, length = count - from) =>
      storedElements(bytesOf(from, length), type) ??
      fail(
        "tensor-type",
        `${file}: the tensor ${cite(name)} holds ${type}, where numbers with a fraction are needed; record it as f32, f16, bf16 or f64.`,
      ),
  };
}

/** Elements that lie column by column, row by row. */
function inRows(
  bytes: Uint8Array<ArrayBuffer>,
  shape: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((all, one) => all * one, 1));
  const index = shape.map(() => 0);
  for (let to = 0; to < bytes.length; to += size) {
    const from = size * index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
    for (let byte = 0; byte < size; byte++) out[to + byte] = bytes[from + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return out;
}
