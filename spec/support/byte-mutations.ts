// Mistakes in files of bytes: what disks and copies do, and numbers and names that an enemy puts where lengths, offsets and
// shapes stand. Each is drawn from a source of random numbers, so that a case can be drawn again.
import type { Random } from "../../src/sample/random.ts";
import { hostileNames } from "./hostile.ts";
import type { Mutant } from "./mutations.ts";

const pick = <T>(source: Random, of: readonly T[]): T => of[source.integer(0, of.length - 1)]!;
const extremes = [0n, 1n, 7n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n];
const huge = [...extremes, 2n ** 63n, 2n ** 64n - 1n, 100_000_000n];
const numbers = ["-1", "0", "1", "3", "1e9", "4294967296", "9007199254740993", "1e300", "0.5"];

type ByteMutation = (bytes: Buffer, source: Random) => Buffer;

/** A number of one to eight bytes, written anywhere; often near the beginning or the end, where headers are. */
const number: ByteMutation = (bytes, source) => {
  const size = pick(source, [1, 2, 4, 8]);
  const near = source.integer(0, Math.min(64, bytes.length - size));
  const place = pick(source, [
    near,
    bytes.length - size - near,
    source.integer(0, bytes.length - size),
  ]);
  const value = BigInt.asUintN(8 * size, pick(source, huge));
  for (let at = 0; at < size; at++) bytes[place + at] = Number((value >> BigInt(8 * at)) & 0xffn);
  return bytes;
};
/** Another run of digits in a header of text, with as many characters or not. */
const digits: ByteMutation = (bytes, source) => {
  const text = bytes.toString("latin1");
  const all = [...text.matchAll(/\d+/g)];
  if (all.length === 0) return bytes;
  const found = pick(source, all);
  const other = pick(source, numbers);
  const same =
    source.integer(0, 1) === 0 ? other.padEnd(found[0].length).slice(0, found[0].length) : other;
  const changed = text.slice(0, found.index) + same + text.slice(found.index + found[0].length);
  return Buffer.from(changed, "latin1");
};
/** A word of a header replaced by a hostile name. */
const word: ByteMutation = (bytes, source) => {
  const text = bytes.toString("latin1");
  const all = [...text.matchAll(/[A-Za-z_]{2,}/g)];
  if (all.length === 0) return bytes;
  const found = pick(source, all);
  const name = pick(source, [
    "../../etc/passwd",
    "\u001b[2J",
    "O",
    "<V2",
    "F64",
    "[",
    "None",
    ...hostileNames,
  ]);
  const other = Buffer.from(name).toString("latin1");
  const changed = text.slice(0, found.index) + other + text.slice(found.index + found[0].length);
  return Buffer.from(changed, "latin1");
};

export const byteMutations: Readonly<Record<string, ByteMutation>> = {
  "a bit turned": (bytes, source) => {
    bytes[source.integer(0, bytes.length - 1)]! ^= 1 << source.integer(0, 7);
    return bytes;
  },
  "cut off": (bytes, source) => bytes.subarray(0, source.integer(0, bytes.length - 1)),
  "bytes left out": (bytes, source) => {
    const from = source.integer(0, bytes.length - 1);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + source.integer(1, 40))]);
  },
  "bytes put in": (bytes, source) => {
    const from = source.integer(0, bytes.length);
    const more = Buffer.alloc(source.integer(1, 40), source.integer(0, 255));
    return Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from)]);
  },
  "a part written twice": (bytes, source) => {
    const from = source.integer(0, bytes.length - 1);
    const part = bytes.subarray(from, from + source.integer(1, 200));
    const to = source.integer(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)]);
  },
  "another number": number,
  "other digits": digits,
  "another word": word,
};

/** One to three mistakes in a file of bytes. */
export function byteMutant(original: Buffer, source: Random): Mutant {
  let bytes = Buffer.from(original);
  const done: string[] = [];
  for (let count = source.integer(1, 3); count > 0 && bytes.length >= 8; count--) {
    const what = pick(source, Object.keys(byteMutations));
    bytes = Buffer.from(byteMutations[what]!(bytes, source));
    done.push(what);
  }
  return { bytes, what: done.join(", ") };
}
