// The members of a zip file, as numpy writes them: found by the central directory, stored or deflated, with sizes of 64 bits where
// they are needed. Nothing is unpacked to a disk, so a member's name is a name and never a path. Packages that read zip files hand
// out streams and untyped errors; here members are read by ranges, and a mistake is told with its byte.

import { constants, inflateRawSync } from "node:zlib";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { malformed, type ByteFile } from "./bytes.ts";
import { directoryOf, localMark, sizesOf, viewOf, type Sizes } from "./directory.ts";

/** A file within the file. */
export interface Member {
  readonly name: string;
  /** Where its data begin in the zip file. */
  readonly at: number;
  /** In bytes, unpacked. */
  readonly size: number;
  /** Bytes of it, unpacked. A deflated one is unpacked when it is read first. */
  readonly read: (from: number, length: number, what: string) => Uint8Array<ArrayBuffer>;
}

const entryMark = 0x02014b50;
const localBytes = 30;
const entryBytes = 46;
/** What a deflated member may take in memory, and how much larger than its file than it may be. */
const largestInflated = 2 ** 31;
const mostRatio = 1100;
/** Packed bytes that hold the header of an array. */
const beginningBytes = 4096;

/** The members of a zip file. @throws PrefcError "tensor-file-malformed", "tensor-file-refused" */
export function zipMembers(file: ByteFile): readonly Member[] {
  const directory = directoryOf(file);
  const bytes = file.read(directory.at, directory.size, "the directory");
  const view = viewOf(bytes);
  const found: Member[] = [];
  const starts: { readonly from: number; readonly to: number; readonly name: string }[] = [];
  let at = 0;
  for (let index = 0; index < directory.members; index++) {
    const here = directory.at + at;
    if (at + entryBytes > bytes.length || view.getUint32(at, true) !== entryMark)
      malformed(
        file.name,
        here,
        `member ${index + 1} of ${directory.members} of the directory is missing`,
      );
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const [nameLength, extraLength] = lengths as [number, number];
    const next = at + entryBytes + lengths.reduce((sum, length) => sum + length, 0);
    if (next > bytes.length)
      malformed(file.name, here, `member ${index + 1} of the directory ends behind it`);
    const name = new TextDecoder().decode(
      bytes.subarray(at + entryBytes, at + entryBytes + nameLength),
    );
    const sizes = sizesOf(file, view, at, at + entryBytes + nameLength, extraLength, here);
    const method = view.getUint16(at + 10, true);
    const cited = `the member ${cite(name)}`;
    if ((view.getUint16(at + 8, true) & 1) === 1) refuse(file, here, `${cited} is encrypted`);
    if (method !== 0 && method !== 8) refuse(file, here, `${cited} is packed by method ${method}`);
    if (method === 0 && sizes.packed !== sizes.unpacked)
      malformed(
        file.name,
        here,
        `${cited} is stored in ${sizes.packed} bytes, but has ${sizes.unpacked}`,
      );
    if (method === 8 && sizes.unpacked > largestInflated)
      refuse(
        file,
        here,
        `${cited} unpacks to ${sizes.unpacked} bytes, more than the ${largestInflated} that are held`,
      );
    if (method === 8 && sizes.unpacked > mostRatio * (sizes.packed + 1))
      malformed(
        file.name,
        here,
        `${cited} is said to unpack ${sizes.packed} bytes to ${sizes.unpacked}, which no deflated data do`,
      );
    const data = dataOf(file, sizes.local, cited);
    if (data + sizes.packed > directory.at)
      malformed(
        file.name,
        data,
        `${cited} takes ${sizes.packed} bytes, which end behind the beginning of the directory`,
      );
    starts.push({ from: sizes.local, to: data + sizes.packed, name });
    found.push(memberOf(file, name, { ...sizes, data, isPacked: method === 8 }));
    at = next;
  }
  let end = 0;
  for (const { from, to, name } of starts.toSorted((a, b) => a.from - b.from)) {
    if (from < end)
      malformed(
        file.name,
        from,
        `the member ${cite(name)} overlaps the one before it, which ends at byte ${end}`,
      );
    end = to;
  }
  return found;
}

function refuse({ name }: ByteFile, at: number, what: string): never {
  return fail(
    "tensor-file-refused",
    `${name}: at byte ${at}, ${what}; write the file with numpy.savez or numpy.savez_compressed.`,
  );
}

/** Where the data of a member begin: behind its own header, whose name and extra field have lengths of their own. */
function dataOf(file: ByteFile, local: number, cited: string): number {
  const header = viewOf(file.read(local, localBytes, `the header of ${cited}`));
  if (header.getUint32(0, true) !== localMark)
    malformed(file.name, local, `the header of ${cited} is missing`);
  return local + localBytes + header.getUint16(26, true) + header.getUint16(28, true);
}

function memberOf(
  file: ByteFile,
  name: string,
  {
    data,
    packed,
    unpacked,
    isPacked,
  }: Sizes & { readonly data: number; readonly isPacked: boolean },
): Member {
  let inflated: Uint8Array<ArrayBuffer> | undefined;
  const whole = (what: string): Uint8Array<ArrayBuffer> => {
    if (inflated !== undefined) return inflated;
    const bytes = file.read(data, packed, what);
    try {
      const out = inflateRawSync(bytes, { maxOutputLength: unpacked + 1 });
      inflated = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    } catch {
      return malformed(file.name, data, `the deflated data of ${cite(name)} are damaged`);
    }
    if (inflated.length !== unpacked)
      malformed(
        file.name,
        data,
        `${cite(name)} unpacks to ${inflated.length} bytes, but ${unpacked} are announced`,
      );
    return inflated;
  };
  // headers are read before anybody asks for the data behind them
  const beginning = (what: string): Uint8Array => {
    const bytes = file.read(data, Math.min(packed, beginningBytes), what);
    try {
      return inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    } catch {
      return malformed(file.name, data, `the deflated data of ${cite(name)} are damaged`);
    }
  };
  const read: Member["read"] = (from, length, what) => {
    if (from + length > unpacked)
      malformed(
        file.name,
        data,
        `${what} takes ${length} bytes from its byte ${from} on, but ${cite(name)} has ${unpacked}`,
      );
    if (!isPacked) return file.read(data + from, length, what);
    const head = inflated ?? beginning(what);
    const bytes = from + length <= head.length ? head : whole(what);
    return Uint8Array.from(bytes.subarray(from, from + length));
  };
  return { name, at: data, size: unpacked, read };
}
