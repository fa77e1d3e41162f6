// How a row of logits is read from memory and a row of gradient written: the only place where kernels know storage
// types. Buffers hold words. What is loaded arrives as the bits of an f32 for each entry, so that NaN and infinities
// are told by the same bits whatever the type; what is stored is rounded to the nearest number of the type, by whole
// numbers and not by the driver, whose rounding WGSL leaves open.

import type { ModelName } from "../core/inputs.ts";
import { bytesPerEntry, type StorageType } from "../core/storage.ts";
import type { Buffer, Element, Role } from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Lanes, Load, Statement, Value } from "./kernel.ts";
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
  readonly buffer: Buffer;
  readonly dtype: StorageType;
  /** Entries read or written at once. */
  readonly vector: Lanes;
  /** Whether an element holds two such vectors. */
  readonly paired: boolean;
  /** Whether lanes may write parts of the same word at the same time: single entries of 16 bits do. */
  readonly isShared: boolean;
}

/** Rows that are read, or, with `isWritten`, written entry by entry. */
export function rowsOf(
  name: string,
  role: Role,
  dtype: StorageType,
  vector: Lanes,
  isWritten: boolean = false,
  paired: boolean = false,
): Rows {
  const isShared = isWritten && vector === 1 && bytesPerEntry(dtype) === 2;
  const element = elementOf(dtype, vector, paired, isShared);
  return { buffer: { name, role, element }, dtype, vector, paired, isShared };
}

function elementOf(dtype: StorageType, vector: Lanes, paired: boolean, isShared: boolean): Element {
  if (isShared) return { type: "u32", lanes: 1, atomic: true };
  if (vector === 1) return { type: "u32", lanes: 1 };
  return { type: "u32", lanes: bytesPerEntry(dtype) === 4 || paired ? 4 : 2 };
}

const two = k.u32(2);
const four = k.u32(4);
const halfOf = (index: Value): Value => k.infix(index, "/", two);

/** The f32 bits of the vector (or single entry) at an index that counts vectors. */
export function loadVector(rows: Rows, index: Value): Value {
  const { buffer, dtype, vector } = rows;
  if (dtype === "f32") return k.load(buffer, index);
  if (vector === 1) return widened(dtype, shifted(k.load(buffer, halfOf(index)), index));
  return widen(dtype, k.load(buffer, index));
}

/** The pair that a vector belongs to, as it is stored. */
export const pairAt = ({ buffer }: Rows, index: Value): Load => k.load(buffer, halfOf(index));

/** The f32 bits of a vector of a pair: of the second one where `half` is 1. */
export function ofPair({ dtype }: Rows, pair: Value, half: 0 | 1 | Value): Value {
  if (half === 0 || half === 1) return widen(dtype, k.half(pair, half === 1));
  const isSecond = k.infix(half, "==", k.u32(1));
  return widen(dtype, k.choose(isSecond, k.half(pair, true), k.half(pair, false)));
}

/** Stores a pair of vectors of f32; the index, which counts vectors, is that of the first. */
export function storePair(
  rows: Rows,
  index: Value,
  [first, second]: readonly [Value, Value],
): readonly Statement[] {
  const words = k.vector(narrow(rows.dtype, first), narrow(rows.dtype, second));
  return [k.assign(pairAt(rows, index), words)];
}

/** The f32 bits of one entry of the row that begins at `base`, which counts vectors. */
export function loadEntry(rows: Rows, base: Value, entry: Value): Value {
  const { dtype, vector } = rows;
  if (vector === 1) return loadVector(rows, k.plus(base, entry));
  const element = elementAt(rows, base, entry);
  if (dtype === "f32") return k.componentOf(element, k.infix(entry, "%", four));
  return widened(dtype, shifted(wordOf(rows, element, entry), entry));
}

/** Stores a vector (or single entry) of f32. */
export function storeVector(rows: Rows, index: Value, v: Value): readonly Statement[] {
  const { buffer, dtype } = rows;
  if (rows.isShared) return storeShared(rows, index, v);
  const words = dtype === "f32" ? k.bits("u32", v) : narrow(dtype, v);
  return [k.assign(k.load(buffer, index), words)];
}

/** Stores one entry of the row that begins at `base`; the lane that stored its vector may do so. */
export function storeEntry(rows: Rows, base: Value, entry: Value, v: Value): readonly Statement[] {
  const { dtype, vector } = rows;
  if (vector === 1) return storeVector(rows, k.plus(base, entry), v);
  const element = elementAt(rows, base, entry);
  if (dtype === "f32")
    return [k.assign(k.componentOf(element, k.infix(entry, "%", four)), k.bits("u32", v))];
  const target = wordOf(rows, element, entry);
  const put = k.call("insert_bits", target, nearest(dtype, v), shiftOf(entry), k.u32(16));
  return [k.assign(target, put)];
}

/** The element that an entry of a row lies in; rows begin at whole elements. */
function elementAt({ buffer, paired }: Rows, base: Value, entry: Value): Load {
  const index = k.plus(base, k.infix(entry, "/", four));
  return k.load(buffer, paired ? halfOf(index) : index);
}
/** The word of 16-bit entries in that element. */
const wordOf = ({ paired }: Rows, element: Load, entry: Value): k.Component =>
  k.componentOf(element, k.infix(halfOf(entry), "%", k.u32(paired ? 4 : 2)));

/** Each lane clears and sets its own half of a word, so that the other half, of another lane, is left alone. */
function storeShared({ buffer, dtype }: Rows, index: Value, v: Value): readonly Statement[] {
  const target = k.load(buffer, halfOf(index));
  const shift = shiftOf(index);
  const others = k.unary("bitNot", k.infix(k.u32(0xffff), "<<", shift));
  return [
    k.atomic("and", target, others),
    k.atomic("or", target, k.infix(nearest(dtype, v), "<<", shift)),
  ];
}

/** How far up an entry of 16 bits lies in its word. */
const shiftOf = (entry: Value): Value => k.times(k.infix(entry, "%", two), k.u32(16));
const shifted = (word: Value, entry: Value): Value => k.infix(word, ">>", shiftOf(entry));

// ---- what depends on the type of 16 bits
type Half = Exclude<StorageType, "f32">;
const widen = (dtype: StorageType, words: Value): Value => k.call(`widen_${dtype as Half}`, words);
const narrow = (dtype: StorageType, v: Value): Value => k.call(`narrow_${dtype as Half}`, v);
/** The bits of the f32 that is in the lower half of a word. */
const widened = (dtype: StorageType, word: Value): Value =>
  dtype === "bf16"
    ? k.infix(word, "<<", k.u32(16))
    : k.bits("u32", k.component(k.call("unpack_f16", word), 0));
/** The 16 bits of a single number; what else is in the word is left out by whoever stores it. */
const nearest = (dtype: StorageType, v: Value): Value =>
  k.component(narrow(dtype, k.vector(v, k.f32(0), k.f32(0), k.f32(0))), 0);
