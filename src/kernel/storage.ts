// How a row of logits is read from memory and a row of gradient written: the only place where kernels know storage
// types. Buffers hold words. What is loaded arrives as the bits of an f32 for each entry, so that NaN and infinities
// are told by the same bits whatever the type; what is stored is rounded to the nearest number of the type, by whole
// numbers and not by the driver, whose rounding WGSL leaves open.

import type { ModelName } from "../core/inputs.ts";
import { bytesPerEntry, type StorageType } from "../core/storage.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** How a kernel over rows is laid out, and how the logits of each model are stored. */
export interface Layout extends Schedule {
  readonly storage: Readonly<Record<ModelName, StorageType>>;
}

/** Whether an element of a buffer is two vectors of four: 16 bytes at once, where entries take 16 bits. */
export const inPairs = ({ paired, storage }: Layout): boolean =>
  paired && Object.values(storage).every((dtype) => bytesPerEntry(dtype) === 2);

/** A buffer of rows, as a kernel sees it. */
export interface Rows {
  readonly buffer: string;
  readonly dtype: StorageType;
  /** Entries read or written at once. */
  readonly vector: Lanes;
  /** Whether an element holds two such vectors. */
  readonly paired: boolean;
  /** Whether lanes may write parts of the same word at the same time: single entries of 16 bits do. */
  readonly isShared: boolean;
}

/** Rows that are read, or, with `isWritten`, written entry by entry. */
export const rowsOf = (
  buffer: string,
  dtype: StorageType,
  vector: Lanes,
  isWritten: boolean = false,
  paired: boolean = false,
): Rows => ({
  buffer,
  dtype,
  vector,
  paired,
  isShared: isWritten && vector === 1 && bytesPerEntry(dtype) === 2,
});

/** The WGSL type of an element of the buffer. */
export function elementType({ dtype, vector, paired, isShared }: Rows): string {
  if (isShared) return "atomic<u32>";
  if (vector === 1) return "u32";
  return bytesPerEntry(dtype) === 4 || paired ? "vec4<u32>" : "vec2<u32>";
}

const u32 = (code: string, lanes: Lanes = 1): Value => k.value("u32", code, lanes);
const word = ({ buffer, isShared }: Rows, index: string): string =>
  isShared ? `atomicLoad(&${buffer}[${index}])` : `${buffer}[${index}]`;

/** The f32 bits of the vector (or single entry) at an index that counts vectors. */
export function loadVector(rows: Rows, index: Value): Value {
  const { dtype, vector } = rows;
  if (dtype === "f32") return k.load(rows.buffer, index, "u32", vector);
  if (vector === 1) return widened(dtype, halfOf(word(rows, `${index.code} / 2u`), index));
  return u32(`widen_${dtype}(${word(rows, index.code)})`, 4);
}

/** The pair that a vector belongs to, as it is stored. */
export const pairAt = ({ buffer }: Rows, index: Value): Value =>
  u32(`${buffer}[${index.code} / 2u]`, 4);

/** The f32 bits of a vector of a pair: of the second one where `half` is 1. */
export function ofPair({ dtype }: Rows, pair: Value, half: 0 | 1 | Value): Value {
  const [first, second] = [`${pair.code}.xy`, `${pair.code}.zw`];
  if (half === 0 || half === 1) return u32(`widen_${dtype}(${half === 1 ? second : first})`, 4);
  return u32(`widen_${dtype}(select(${first}, ${second}, ${half.code} == 1u))`, 4);
}

/** Stores a pair of vectors of f32; the index, which counts vectors, is that of the first. */
export function storePair(
  rows: Rows,
  index: Value,
  [first, second]: readonly [Value, Value],
): readonly Statement[] {
  const narrow = ({ code }: Value): string => `narrow_${rows.dtype}(${code})`;
  return [
    k.assign(pairAt(rows, index).code, u32(`vec4<u32>(${narrow(first)}, ${narrow(second)})`, 4)),
  ];
}

/** The f32 bits of one entry of the row that begins at `base`, which counts vectors. */
export function loadEntry(rows: Rows, base: Value, entry: Value): Value {
  const { dtype, vector } = rows;
  if (vector === 1) return loadVector(rows, k.plus(base, entry));
  const element = elementOf(rows, base, entry);
  if (dtype === "f32") return u32(`${element}[${entry.code} % 4u]`);
  return widened(dtype, halfOf(wordOf(rows, element, entry), entry));
}

/** Stores a vector (or single entry) of f32. */
export function storeVector(rows: Rows, index: Value, v: Value): readonly Statement[] {
  const { buffer, dtype, vector } = rows;
  if (rows.isShared) return storeShared(rows, index, v);
  const target = `${buffer}[${index.code}]`;
  if (dtype === "f32") {
    const type = vector === 4 ? "vec4<u32>" : "u32";
    return [k.assign(target, u32(`bitcast<${type}>(${v.code})`, vector))];
  }
  return [k.assign(target, u32(`narrow_${dtype}(${v.code})`))];
}

/** Stores one entry of the row that begins at `base`; the lane that stored its vector may do so. */
export function storeEntry(rows: Rows, base: Value, entry: Value, v: Value): readonly Statement[] {
  const { dtype, vector } = rows;
  if (vector === 1) return storeVector(rows, k.plus(base, entry), v);
  const element = elementOf(rows, base, entry);
  if (dtype === "f32")
    return [k.assign(`${element}[${entry.code} % 4u]`, u32(`bitcast<u32>(${v.code})`))];
  const target = wordOf(rows, element, entry);
  const put = `insertBits(${target}, ${nearest(dtype, v)}, ${shiftOf(entry)}, 16u)`;
  return [k.assign(target, u32(put))];
}

/** The element that an entry of a row lies in; rows begin at whole elements. */
function elementOf({ buffer, paired }: Rows, base: Value, entry: Value): string {
  const index = k.plus(base, k.infix(entry, "/", k.u32(4)));
  return `${buffer}[${paired ? `${index.code} / 2u` : index.code}]`;
}
/** The word of 16-bit entries in that element. */
const wordOf = ({ paired }: Rows, element: string, entry: Value): string =>
  `${element}[(${entry.code} / 2u) % ${paired ? 4 : 2}u]`;

/** Each lane clears and sets its own half of a word, so that the other half, of another lane, is left alone. */
function storeShared({ buffer, dtype }: Rows, index: Value, v: Value): readonly Statement[] {
  const target = `&${buffer}[${index.code} / 2u]`;
  const shift = shiftOf(index);
  return [
    { kind: "call", code: `atomicAnd(${target}, ~(0xffffu << ${shift}))` },
    { kind: "call", code: `atomicOr(${target}, ${nearest(dtype, v)} << ${shift})` },
  ];
}

/** How far up an entry of 16 bits lies in its word. */
const shiftOf = (entry: Value): string => `((${entry.code} % 2u) * 16u)`;
const halfOf = (code: string, entry: Value): string => `(${code} >> ${shiftOf(entry)})`;
const widened = (dtype: StorageType, half: string): Value =>
  u32(dtype === "bf16" ? `(${half} << 16u)` : `bitcast<u32>(unpack2x16float(${half}).x)`);
/** The 16 bits of a single number; what else is in the word is left out by whoever stores it. */
const nearest = (dtype: StorageType, { code }: Value): string =>
  `narrow_${dtype}(vec4<f32>(${code}, 0.0, 0.0, 0.0)).x`;
