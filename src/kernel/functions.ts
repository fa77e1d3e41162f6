// The functions that a kernel calls by name, beside its operators: how entries of 16 bits become numbers and back, and how
// vectors that lie across two others are read. Here are their types; a printer knows how they are written.

import type { Typed } from "./value.ts";

export interface FunctionType {
  readonly from: readonly Typed[];
  readonly to: Typed;
}

export type FunctionName =
  /** The bits of four f32 from two words of 16-bit numbers. */
  | "widen_bf16"
  | "widen_f16"
  /** Four numbers, each rounded to the nearest of 16 bits, in two words. */
  | "narrow_bf16"
  | "narrow_f16"
  /** Four entries that begin so many entries into the first of two vectors. */
  | "across"
  /** The two f16 of a word. */
  | "unpack_f16"
  /** A word in which some bits are replaced: (word, bits, first bit, how many). */
  | "insert_bits";

const u = (lanes: 1 | 2 | 4): Typed => ({ type: "u32", lanes });
const f = (lanes: 1 | 2 | 4): Typed => ({ type: "f32", lanes });

export const functions: Readonly<Record<FunctionName, FunctionType>> = {
  widen_bf16: { from: [u(2)], to: u(4) },
  widen_f16: { from: [u(2)], to: u(4) },
  narrow_bf16: { from: [f(4)], to: u(2) },
  narrow_f16: { from: [f(4)], to: u(2) },
  across: { from: [u(4), u(4), u(1)], to: u(4) },
  unpack_f16: { from: [u(1)], to: f(2) },
  insert_bits: { from: [u(1), u(1), u(1), u(1)], to: u(1) },
};
