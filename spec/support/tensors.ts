// Writes small files of tensors as the libraries of Python do: safetensors, and .npz with stored or deflated members.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { deflateRawSync } from "node:zlib";

/** A tensor as it is to be written. */
export interface Plain {
  /** A type of safetensors, such as F32. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
export const f32 = (values: readonly number[], ...shape: readonly number[]): Plain => ({
  dtype: "F32",
  shape,
  bytes: bytesOf(Float32Array.from(values)),
});
export const bf16 = (bits: ArrayLike<number>, ...shape: readonly number[]): Plain => ({
  dtype: "BF16",
  shape,
  bytes: bytesOf(Uint16Array.from(bits)),
});
export const i64 = (values: readonly number[], ...shape: readonly number[]): Plain => ({
  dtype: "I64",
  shape,
  bytes: bytesOf(BigInt64Array.from(values, BigInt)),
});
export const bool = (values: readonly number[], ...shape: readonly number[]): Plain => ({
  dtype: "BOOL",
  shape,
  bytes: Uint8Array.from(values),
});

/** A file of a header, as it is written, and data. */
export function withHeader(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** A safetensors file. */
export function safetensors(tensors: Readonly<Record<string, Plain>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = JSON.stringify(header);
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8);
  return withHeader(padded, Buffer.concat(Object.values(tensors).map(({ bytes }) => bytes)));
}

const codes: Readonly<Record<string, string>> = {
  F32: "<f4",
  BF16: "<V2",
  I64: "<i8",
  BOOL: "|b1",
};

/** The bytes of an .npy member. */
export function npy({ dtype, shape, bytes }: Plain, header?: string): Buffer {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text =
    header ??
    `{'descr': '${codes[dtype] ?? dtype}', 'fortran_order': False, 'shape': (${extents}), }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, "latin1"), bytes]);
}

/** A zip file of members, deflated or as numpy.savez writes them: with sizes of 64 bits in their own headers. */
export function zip(members: Readonly<Record<string, Uint8Array>>, deflated = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(members)) {
    const packed = deflated ? deflateRawSync(bytes) : Buffer.from(bytes);
    const extra = Buffer.alloc(20);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    extra.writeBigUInt64LE(BigInt(bytes.length), 4);
    extra.writeBigUInt64LE(BigInt(packed.length), 12);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(45, 4);
    local.writeUInt16LE(deflated ? 8 : 0, 8);
    local.writeUInt32LE(crc32(bytes), 14);
    local.writeUInt32LE(0xffffffff, 18);
    local.writeUInt32LE(0xffffffff, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    local.writeUInt16LE(extra.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflated ? 8 : 0, 10);
    entry.writeUInt32LE(crc32(bytes), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), extra, packed);
    directory.push(entry, Buffer.from(name));
    at += 30 + Buffer.byteLength(name) + extra.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** An .npz file. */
export const npz = (tensors: Readonly<Record<string, Plain>>, deflated = false): Buffer =>
  zip(
    Object.fromEntries(Object.entries(tensors).map(([name, made]) => [`${name}.npy`, npy(made)])),
    deflated,
  );

/** Does something with a file of these bytes, which is removed afterwards. */
export function withFile<T>(bytes: Uint8Array, name: string, act: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "prefc-tensors-"));
  try {
    writeFileSync(join(folder, name), bytes);
    return act(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
