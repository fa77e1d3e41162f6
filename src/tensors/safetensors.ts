// safetensors: a length of eight bytes, a header in JSON, and the data. Every claim of the header is held against the file before
// anything is read for its sake: lengths, offsets that overlap or leave gaps, and shapes whose product is not their size.

import { parseJson } from "../core/json.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { malformed, type ByteFile } from "./bytes.ts";
import { elementTypes, type ElementType } from "./element.ts";
import { countOf, mostExtents, tensorOf, type FileTensor } from "./tensor.ts";

/** A recorded step has some dozens of tensors, whose header takes some thousand bytes. */
const longestHeader = 2 ** 17;
const lengthBytes = 8;

/** The types of the format that are read; those of 8 bits and less, and complex numbers, are not. */
const types: Readonly<Record<string, ElementType>> = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  U64: "u64",
  I32: "i32",
  U32: "u32",
  I16: "i16",
  U16: "u16",
  I8: "i8",
  U8: "u8",
  BOOL: "bool",
};

/** Whether a file begins as this format does: a length, then an object. */
export function looksLikeSafetensors(file: ByteFile): boolean {
  return file.size > lengthBytes && file.read(lengthBytes, 1, "the header")[0] === 0x7b;
}

/**
 * The tensors of a file, none of which is read.
 * @throws PrefcError "tensor-file-malformed", "tensor-file-refused", and what `parseJson` throws
 */
export function readSafetensors(file: ByteFile): ReadonlyMap<string, FileTensor> {
  const { name } = file;
  const start = file.read(0, lengthBytes, "the length of the header");
  const length = new DataView(start.buffer).getBigUint64(0, true);
  if (length > BigInt(file.size - lengthBytes)) {
    malformed(
      name,
      0,
      `the header is said to take ${length} bytes, but the file ends ${file.size - lengthBytes} bytes later`,
    );
  }
  if (length > longestHeader) {
    fail(
      "tensor-file-refused",
      `${name}: at byte 0, the header is said to take ${length} bytes, more than the ${longestHeader} that are read; give the file of one recorded step.`,
    );
  }
  const dataStart = lengthBytes + Number(length);
  const header = file.read(lengthBytes, Number(length), "the header");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(header);
  } catch {
    return malformed(name, lengthBytes, "the header is no UTF-8");
  }
  const document = parseJson(text.trimEnd(), `${name}: the header from byte ${lengthBytes} on`);
  if (typeof document !== "object" || document === null || Array.isArray(document))
    return malformed(name, lengthBytes, "the header is no object");
  const found = new Map<string, FileTensor>();
  const spans: { readonly name: string; readonly from: number; readonly to: number }[] = [];
  for (const [key, value] of Object.entries(document)) {
    if (key === "__metadata__") continue;
    const tensor = `the tensor ${cite(key)}`;
    const wrong = (what: string): never => malformed(name, lengthBytes, `${tensor} ${what}`);
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    if (!isExtents(shape, mostExtents))
      return wrong(`has no shape of at most ${mostExtents} whole numbers`);
    if (!isExtents(offsets, 2) || offsets.length !== 2 || offsets[0]! > offsets[1]!)
      return wrong("has no data_offsets that ascend");
    if (typeof dtype !== "string") return wrong("has no dtype");
    const [from, to] = [dataStart + offsets[0]!, dataStart + offsets[1]!];
    if (to > file.size) {
      malformed(name, from, `${tensor} ends at byte ${to}, but the file has ${file.size}`);
    }
    spans.push({ name: key, from, to });
    const type = Object.hasOwn(types, dtype) ? types[dtype]! : null;
    // a type that is not read may stand in a file whose other tensors are
    if (type === null) continue;
    const count = countOf(shape);
    if (count * elementTypes[type] !== to - from) {
      malformed(
        name,
        from,
        `${tensor} has ${to - from} bytes, but its shape ${shape.join(" × ") || "of one number"} takes ${count * elementTypes[type]} in ${dtype}`,
      );
    }
    const bytes = (at: number, size: number): Uint8Array<ArrayBuffer> =>
      file.read(from + at, size, tensor);
    found.set(
      key,
      tensorOf(name, { name: key, type, shape, byColumns: false, bigEndian: false, bytes }),
    );
  }
  refuseOverlaps(file, dataStart, spans);
  return found;
}

/** The data begin where the header ends, and each tensor where the one before ends. */
function refuseOverlaps(
  { name, size }: ByteFile,
  start: number,
  spans: readonly { readonly name: string; readonly from: number; readonly to: number }[],
): void {
  let end = start;
  for (const { name: tensor, from, to } of spans.toSorted(
    (a, b) => a.from - b.from || a.to - b.to,
  )) {
    if (from < end)
      malformed(
        name,
        from,
        `the tensor ${cite(tensor)} overlaps the one before it, which ends at byte ${end}`,
      );
    if (from > end)
      malformed(name, end, `${from - end} bytes belong to no tensor; ${cite(tensor)} follows them`);
    end = to;
  }
  if (end !== size) malformed(name, end, `${size - end} bytes follow the last tensor`);
}

const isExtents = (value: unknown, most: number): value is readonly number[] =>
  Array.isArray(value) &&
  value.length <= most &&
  value.every((extent) => Number.isSafeInteger(extent) && (extent as number) >= 0);
