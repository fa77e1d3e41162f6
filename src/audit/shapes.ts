// Whether the tensors of a step have the extents that its token ids ask for, and their rows, sequence by sequence.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { FileTensor, TensorFile } from "../tensors/tensor.ts";
import { realsOf, type Given } from "./rows.ts";

/** What stands for one role in a file: a tensor, or one for chosen and one for rejected sequences. */
export type Found = { readonly name: string; readonly tensors: readonly FileTensor[] };

/** The largest part of a number that its type rounds away. */
export const unitOf = ([tensor]: readonly FileTensor[], given: Given): number => {
  const type =
    tensor!.type === "f32" || tensor!.type === "f64" ? tensor!.type : (given ?? tensor!.type);
  return type === "bf16" ? 2 ** -8 : type === "f16" ? 2 ** -11 : 0;
};

const shapeError = (
  file: TensorFile,
  name: string,
  shape: readonly number[],
  what: string,
): never =>
  fail(
    "step-tensor-shape",
    `${file.name}: ${cite(name)} has the shape ${shape.join(" × ") || "of one number"}, but ${what}; record it so.`,
  );

/** The length of each sequence of a tensor of [sequences, length]. */
export function matrixLengths(file: TensorFile, { tensors }: Found): readonly number[] {
  return tensors.flatMap(({ name, shape }) => {
    if (shape.length !== 2) shapeError(file, name, shape, "[sequences, length] is needed");
    return Array.from({ length: shape[0]! }, () => shape[1]!);
  });
}

/** The rows of tensors that have a number for each position. */
export function matrixRows(
  file: TensorFile,
  found: Found,
  lengths: readonly number[],
): readonly Float64Array[] {
  const own = matrixLengths(file, found);
  if (own.length !== lengths.length || own.some((length, index) => length !== lengths[index])) {
    const [{ name, shape }] = found.tensors as readonly [FileTensor];
    shapeError(
      file,
      name,
      shape,
      `the token ids have ${lengths.length} sequences of ${lengths[0]}`,
    );
  }
  return found.tensors.flatMap((tensor) => {
    const all = tensor.numbers();
    const [count, length] = tensor.shape as readonly [number, number];
    return Array.from({ length: count }, (_, row) => all.slice(row * length, (row + 1) * length));
  });
}

/** @throws PrefcError "step-tensor-value" for anything but 0 and 1 */
export function masks(
  file: TensorFile,
  { name }: Found,
  rows: readonly Float64Array[],
): readonly Float64Array[] {
  rows.forEach((row, sequence) => {
    const wrong = row.findIndex((value) => value !== 0 && value !== 1);
    if (wrong < 0) return;
    fail(
      "step-tensor-value",
      `${file.name}: ${name} is ${row[wrong]} at position ${wrong} of sequence ${sequence}; a mask has 0 and 1.`,
    );
  });
  return rows;
}

/** Logits have a row for each position, or for each but the last. */
export function checkRows(file: TensorFile, { tensors }: Found, lengths: readonly number[]): void {
  let sequence = 0;
  for (const { name, shape } of tensors) {
    const [count = 0, length = 0, width = 0] = shape;
    const wanted = lengths[sequence];
    if (
      shape.length !== 3 ||
      width < 1 ||
      wanted === undefined ||
      (length !== wanted && length !== wanted - 1)
    ) {
      shapeError(file, name, shape, `[sequences, ${wanted ?? "length"}, vocabulary] is needed`);
    }
    sequence += count;
  }
  if (sequence !== lengths.length) {
    const { name, shape } = tensors[0]!;
    shapeError(file, name, shape, `the token ids have ${lengths.length} sequences`);
  }
}

/** Rows of numbers for each position, or for each but the first. */
export function tokenRows(
  file: TensorFile,
  { tensors }: Found,
  lengths: readonly number[],
  given: Given,
): readonly Float64Array[] {
  const rows = tensors.flatMap((tensor) => {
    const { name, shape } = tensor;
    if (shape.length !== 2) shapeError(file, name, shape, "[sequences, length] is needed");
    const all = realsOf(tensor, given);
    const [count, length] = shape as readonly [number, number];
    return Array.from({ length: count }, (_, row) => all.slice(row * length, (row + 1) * length));
  });
  const fits =
    rows.length === lengths.length &&
    rows.every(({ length }, index) => length === lengths[index] || length === lengths[index]! - 1);
  if (!fits) {
    const { name, shape } = tensors[0]!;
    shapeError(
      file,
      name,
      shape,
      `the token ids have ${lengths.length} sequences of ${lengths[0]}`,
    );
  }
  return rows;
}
