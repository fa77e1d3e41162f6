// The rows of logits of a recorded step, wherever in the file they lie: row t of sequence s predicts the token at position t + 1. Rows
// are read when they are needed, runs of neighbours at once.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { halfValue, type HalfType, type StorageType } from "../core/storage.ts";
import type { FileTensor } from "../tensors/tensor.ts";

/** Rows of logits, or what is made of them. */
export interface Rows {
  /** Entries of a row. */
  readonly width: number;
  /** Rows of a sequence: as many as it has positions, or one less. */
  readonly length: (sequence: number) => number;
  /** Some rows of a sequence, one after the other. */
  readonly read: (sequence: number, first: number, count: number) => Float64Array;
}
/** Rows as they are stored in the file. */
export interface FileRows extends Rows {
  readonly dtype: StorageType | "f64";
  readonly bytes: number;
}

/** A type that numbers of two bytes have which the file does not name; null where none was given. */
export type Given = HalfType | null;

/** The type of a tensor of logits. @throws PrefcError "tensor-type" */
function typeOf({ name, type }: FileTensor, given: Given): StorageType | "f64" {
  if (type === "f64" || type === "f32" || type === "f16" || type === "bf16") return type;
  if ((type === "raw16" || type === "i16" || type === "u16") && given !== null) return given;
  return fail(
    "tensor-type",
    type === "raw16" || type === "i16" || type === "u16"
      ? `The tensor ${cite(name)} holds numbers of two bytes whose type the file does not say; give --dtype bf16 or --dtype f16.`
      : `The tensor ${cite(name)} holds ${type}, where numbers with a fraction are needed; record it as f32, f16, bf16 or f64.`,
  );
}

/** Numbers of a tensor, those of two bytes as the type that was given. */
export function realsOf(
  tensor: FileTensor,
  given: Given,
  from: number = 0,
  count: number = tensor.count - from,
): Float64Array {
  const type = typeOf(tensor, given);
  if (type === tensor.type) return tensor.numbers(from, count);
  return Float64Array.from(tensor.stored(from, count), (bits) => halfValue(bits, type as HalfType));
}

/** Rows in tensors of [sequences, length, width], the sequences of one after those of the other. */
export function fileRows(tensors: readonly FileTensor[], given: Given): FileRows {
  const [first] = tensors as readonly [FileTensor];
  const width = first.shape[2]!;
  const starts = tensors.reduce<readonly number[]>(
    (all, { shape }) => [...all, all.at(-1)! + shape[0]!],
    [0],
  );
  const holder = (sequence: number): number => starts.findLastIndex((start) => start <= sequence);
  return {
    width,
    dtype: typeOf(first, given),
    bytes: tensors.reduce(
      (sum, { count }) => sum + count * (first.type === "f64" ? 8 : first.type === "f32" ? 4 : 2),
      0,
    ),
    length: (sequence) => tensors[holder(sequence)]!.shape[1]!,
    read: (sequence, from, count) => {
      const index = holder(sequence);
      const tensor = tensors[index]!;
      const row = (sequence - starts[index]!) * tensor.shape[1]! + from;
      return realsOf(tensor, given, row * width, count * width);
    },
  };
}
