// Arrays of numpy: a zip file of .npy members, each a magic, a version, a header that is the literal of a Python dictionary, and the
// data. The literal is matched by its three keys and never evaluated; structured records and pickled objects are refused.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { malformed, type ByteFile } from "./bytes.ts";
import { elementTypes, type ElementType } from "./element.ts";
import { countOf, mostExtents, tensorOf, type FileTensor } from "./tensor.ts";
import { zipMembers, type Member } from "./zip.ts";

const longestHeader = 2 ** 16;

/** What numpy calls the types that are read. */
const types: Readonly<Record<string, ElementType>> = {
  f8: "f64",
  f4: "f32",
  f2: "f16",
  V2: "raw16",
  i8: "i64",
  u8: "u64",
  i4: "i32",
  u4: "u32",
  i2: "i16",
  u2: "u16",
  i1: "i8",
  u1: "u8",
  b1: "bool",
};

/** The arrays of a file by the names under which they were saved. @throws PrefcError "tensor-file-malformed", "tensor-file-refused" */
export function readNpz(file: ByteFile): ReadonlyMap<string, FileTensor> {
  const found = new Map<string, FileTensor>();
  for (const member of zipMembers(file)) {
    const [, name] = /^(.*)\.npy$/s.exec(member.name) ?? [];
    if (name === undefined) continue;
    if (found.has(name))
      malformed(
        file.name,
        member.at,
        `two members are called ${cite(member.name)}, so one array hides the other`,
      );
    const tensor = readNpy(file, member, name);
    if (tensor !== null) found.set(name, tensor);
  }
  return found;
}

/** The array of a member; null where it holds texts, which no tensor does. */
function readNpy(file: ByteFile, member: Member, name: string): FileTensor | null {
  const cited = `the array ${cite(name)}`;
  const wrong = (what: string): never => malformed(file.name, member.at, `${cited} ${what}`);
  if (member.size < 12) return wrong(`has ${member.size} bytes, too few for a header`);
  const start = member.read(0, 12, cited);
  const view = new DataView(start.buffer);
  if (view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    return wrong("begins without numpy's mark");
  const version = start[6]!;
  if (version < 1 || version > 3) return wrong(`has version ${version}, and 1 to 3 are read`);
  const before = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader || before + length > member.size)
    return wrong(
      `is said to have a header of ${length} bytes; it has ${member.size} in all, and headers of ${longestHeader} are read`,
    );
  const header = new TextDecoder("latin1").decode(member.read(before, length, cited));
  const [, descr] = /'descr':\s*('[^']{1,40}'|\[)/.exec(header) ?? [];
  const [, order] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, extents] = /'shape':\s*\(([\d, L]{0,200})\)/.exec(header) ?? [];
  if (descr === undefined || order === undefined || extents === undefined)
    return wrong("has a header without descr, fortran_order and shape");
  const [, endian = "", code = ""] = /^'([<>|=]?)(.*)'$/.exec(descr) ?? [];
  if (descr === "[" || code.startsWith("O")) {
    fail(
      "tensor-file-refused",
      `${file.name}: ${cited} holds ${descr === "[" ? "records" : "pickled objects, which would be run to be read"}; save plain arrays of numbers.`,
    );
  }
  const type = Object.hasOwn(types, code) ? types[code]! : null;
  if (type === null) return null;
  const shape = extents
    .split(",")
    .map((extent) => extent.replace("L", "").trim())
    .filter((extent) => extent !== "")
    .map(Number);
  if (shape.length > mostExtents || !shape.every((extent) => Number.isSafeInteger(extent)))
    return wrong(`has no shape of at most ${mostExtents} whole numbers`);
  const first = before + length;
  const bytes = countOf(shape) * elementTypes[type];
  if (bytes !== member.size - first) {
    return wrong(
      `has ${member.size - first} bytes, but its shape ${shape.join(" × ") || "of one number"} takes ${bytes} in ${code}`,
    );
  }
  return tensorOf(file.name, {
    name,
    type,
    shape,
    byColumns: order === "True",
    bigEndian: endian === ">",
    bytes: (from, size) => member.read(first + from, size, cited),
  });
}
