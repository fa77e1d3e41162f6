// Where a zip file says that its members are: the end of the file, the central directory, and sizes of 64 bits where the short ones
// do not do. Each number is held against the file before anything is read for its sake.

import { fail } from "../core/error.ts";
import { malformed, type ByteFile } from "./bytes.ts";

const endMark = 0x06054b50;
const end64Mark = 0x06064b50;
const locatorMark = 0x07064b50;
/** What a member's own header begins with. */
export const localMark = 0x04034b50;
const endBytes = 22;
/** A comment of a zip file has a length of two bytes. */
const longestComment = 0xffff;
const longestDirectory = 2 ** 16;

export const viewOf = (bytes: Uint8Array<ArrayBuffer>): DataView => new DataView(bytes.buffer);

/** Whether a file begins with a member or, where there is none, with the end of the directory. */
export function looksLikeZip(file: ByteFile): boolean {
  if (file.size < endBytes) return false;
  const mark = viewOf(file.read(0, 4, "the first mark")).getUint32(0, true);
  return mark === localMark || mark === endMark;
}

export interface Directory {
  readonly at: number;
  readonly size: number;
  readonly members: number;
}

/** Where the central directory is, by its end, which a comment may follow. */
export function directoryOf(file: ByteFile): Directory {
  const { name, size } = file;
  const tailBytes = Math.min(size, endBytes + longestComment);
  const start = size - tailBytes;
  const tail = viewOf(file.read(start, tailBytes, "the end of the directory"));
  let at = tailBytes - endBytes;
  while (
    at >= 0 &&
    !(
      tail.getUint32(at, true) === endMark &&
      at + endBytes + tail.getUint16(at + 20, true) === tailBytes
    )
  )
    at--;
  if (at < 0)
    malformed(name, size, "the directory of the zip file is missing, so the file was cut off");
  const plain = {
    members: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    at: tail.getUint32(at + 16, true),
  };
  const isLarge = plain.members === 0xffff || plain.size === 0xffffffff || plain.at === 0xffffffff;
  const found = isLarge ? largeDirectory(file, start + at) : plain;
  if (found.at + found.size > start + at) {
    malformed(
      name,
      start + at,
      `the directory is said to take ${found.size} bytes from byte ${found.at} on, which end behind it`,
    );
  }
  if (found.size > longestDirectory) {
    fail(
      "tensor-file-refused",
      `${name}: at byte ${found.at}, the directory takes ${found.size} bytes, more than the ${longestDirectory} that are read; give the file of one recorded step.`,
    );
  }
  return found;
}

function largeDirectory(file: ByteFile, end: number): Directory {
  const { name } = file;
  if (end < 20) return malformed(name, end, "the place of a large directory is missing");
  const locator = viewOf(file.read(end - 20, 20, "the place of the directory"));
  if (locator.getUint32(0, true) !== locatorMark)
    return malformed(name, end - 20, "the place of a large directory is missing");
  const at = whole(file, locator, 8, end - 12);
  const record = viewOf(file.read(at, 56, "the end of a large directory"));
  if (record.getUint32(0, true) !== end64Mark)
    return malformed(name, at, "the end of a large directory is missing");
  return {
    members: whole(file, record, 32, at + 32),
    size: whole(file, record, 40, at + 40),
    at: whole(file, record, 48, at + 48),
  };
}

/** A number of 64 bits that float64 holds. */
function whole({ name }: ByteFile, view: DataView, offset: number, at: number): number {
  const value = view.getBigUint64(offset, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : malformed(name, at, `the number ${value} is larger than any file`);
}

export interface Sizes {
  readonly packed: number;
  readonly unpacked: number;
  /** Where the member's own header is. */
  readonly local: number;
}

/** Sizes of a member, those of 64 bits where the short ones say so. */
export function sizesOf(
  file: ByteFile,
  view: DataView,
  at: number,
  extra: number,
  extraLength: number,
  here: number,
): Sizes {
  const short = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  let place = extra;
  const end = extra + extraLength;
  while (place + 4 <= end) {
    const [id, length] = [view.getUint16(place, true), view.getUint16(place + 2, true)];
    if (place + 4 + length > end) break;
    if (id === 1) {
      let field = place + 4;
      const long = short.map((value) => {
        if (value !== 0xffffffff) return value;
        if (field + 8 > place + 4 + length)
          return malformed(file.name, here, "a size of 64 bits is missing");
        field += 8;
        return whole(file, view, field - 8, here);
      });
      return { unpacked: long[0]!, packed: long[1]!, local: long[2]! };
    }
    place += 4 + length;
  }
  if (short.includes(0xffffffff)) malformed(file.name, here, "a size of 64 bits is missing");
  return { unpacked: short[0]!, packed: short[1]!, local: short[2]! };
}
