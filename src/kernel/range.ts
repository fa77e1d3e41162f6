// What a gradient pass reports: that a gradient left the range of the type in which it is stored. Coefficients of a row
// tell, since an entry is a sum of few of them times e^{d·x} x^k, which is at most about 1: a look at them costs nothing. Where
// that does not hold, and where the type is f16, which 65,520 overflows, every entry is looked at. Bits are compared, because
// WGSL may assume that there is no NaN and no infinity.

import type { StorageType } from "../core/storage.ts";
import type { BlockPass } from "../block/block.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import * as row from "./row.ts";
import { fold, tree } from "./span.ts";
import { gradientWord, report } from "./status.ts";
import { atLabel, coefficientsOf, writtenAt } from "./terms.ts";

/** The bits of 2^124: a dozen coefficients below it have a finite sum. */
const coefficientLimit = k.u32(0x7d800000);
/** From these bits on a number is stored as infinity: of infinity itself, or of the first f32 that rounds to it. */
const entryLimits: Readonly<Record<StorageType, Value>> = {
  f32: row.infinityBits,
  bf16: k.u32(0x7f7f8000),
  f16: k.u32(0x477ff000),
};
const entryLimit = (dtype: StorageType): Value => entryLimits[dtype];

/** Whether the coefficients of a row do not bound its entries. */
const isWatched = ({ write }: BlockPass, dtype: StorageType): boolean =>
  dtype === "f16" || write?.isBounded === false;

const watched = k.variable("largest_bits", "u32");

/** Starts to look at entries, after what is known of the whole row. */
export const openReport = (pass: BlockPass, dtype: StorageType): readonly Statement[] =>
  isWatched(pass, dtype) ? [k.varValue(watched, k.u32(0))] : [];

/** Looks at the entries g_0, g_1, … of a block. */
export function watch(
  pass: BlockPass,
  dtype: StorageType,
  count: number,
  lanes: Lanes,
): readonly Statement[] {
  if (!isWatched(pass, dtype)) return [];
  const sizes = Array.from({ length: count }, (_, j) =>
    row.magnitude(row.bitsOf(writtenAt(j, lanes))),
  );
  return [k.assign(watched, k.maximum(watched, fold(tree(sizes, k.maximum), k.maximum)))];
}

/** Reports the row, by every lane that finds something. */
export function reportRow(pass: BlockPass, dtype: StorageType): readonly Statement[] {
  const sizeOf = (value: Value): Value => row.magnitude(row.bitsOf(value));
  const coefficients = coefficientsOf(pass).map(sizeOf);
  const isFar = k.infix(
    tree([...coefficients, sizeOf(atLabel)], k.maximum),
    ">=",
    coefficientLimit,
  );
  const limit = entryLimit(dtype);
  const isOut = isWatched(pass, dtype)
    ? k.infix(k.infix(k.maximum(watched, sizeOf(atLabel)), ">=", limit), "||", isFar)
    : isFar;
  return [k.when(isOut, [report(gradientWord)])];
}

/** Reports a single entry of another row, whose token is at hand. */
export const reportEntry = (g: Value, dtype: StorageType): Statement =>
  k.when(k.infix(row.magnitude(row.bitsOf(g)), ">=", entryLimit(dtype)), [report(gradientWord)]);
