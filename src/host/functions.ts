// The functions that kernels call by name, on the host: how entries of 16 bits become numbers and back.

import { halfBits, halfValue } from "../core/storage.ts";
import type { FunctionName } from "../kernel/functions.ts";
import { bitsOf } from "./numbers.ts";

type Components = readonly number[];
/** A function of the components of its arguments. */
type Host = (a: Components, b: Components, c: Components, d: Components) => Components;

const halves = (words: readonly number[]): readonly number[] =>
  words.flatMap((word) => [word & 0xffff, word >>> 16]);
const widen =
  (dtype: "bf16" | "f16"): Host =>
  (words) =>
    halves(words).map((half) => bitsOf(halfValue(half, dtype)));
const narrow =
  (dtype: "bf16" | "f16"): Host =>
  (v) => {
    const [a, b, c, d] = v.map((x) => halfBits(x, dtype)) as [number, number, number, number];
    return [(a | (b << 16)) >>> 0, (c | (d << 16)) >>> 0];
  };

export const hostFunctions: Readonly<Record<FunctionName, Host>> = {
  widen_bf16: widen("bf16"),
  widen_f16: widen("f16"),
  narrow_bf16: narrow("bf16"),
  narrow_f16: narrow("f16"),
  across: (here, next, [turn = 0]) => [...here, ...next].slice(turn, turn + 4),
  unpack_f16: (word) => halves(word).map((half) => halfValue(half, "f16")),
  insert_bits: ([word = 0], [put = 0], [first = 0], [count = 0]) => {
    const mask = ((2 ** count - 1) << first) >>> 0;
    return [((word & ~mask) | ((put << first) & mask)) >>> 0];
  },
};
