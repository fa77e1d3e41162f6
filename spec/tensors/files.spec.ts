// Files of tensors as the libraries of Python write them: what is in them is what was put there, whatever its type, order and
// packing. What is not read is left out or refused, and a file that is not what it says is refused with the byte.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { toHalf } from "../../src/core/storage.ts";
import { openTensors } from "../../src/tensors/open.ts";
import type { TensorFile } from "../../src/tensors/tensor.ts";
import { errorOf } from "../support/error.ts";
import { isOneSafeLine } from "../support/hostile.ts";
import {
  bf16,
  bool,
  f32,
  i64,
  npy,
  npz,
  safetensors,
  withFile,
  withHeader,
  zip,
} from "../support/tensors.ts";

const recorded = (name: string): string =>
  fileURLToPath(new URL(`recorded/${name}`, import.meta.url));
const opened = <T>(path: string, act: (file: TensorFile) => T): T => {
  const file = openTensors(path);
  try {
    return act(file);
  } finally {
    file.close();
  }
};
const listed = (file: TensorFile): Record<string, readonly number[]> =>
  Object.fromEntries(
    [...file.tensors].map(([name, tensor]) => [name, Array.from(tensor.numbers())]),
  );
const minusTenth = { f16: -0.0999755859375, bf16: -0.10009765625 };

describe("a file that safetensors wrote", () => {
  it("has every type but those of 8-bit floats", () => {
    opened(recorded("types.safetensors"), (file) => {
      expect(listed(file)).toEqual({
        f64: [1.5, -2.25],
        f32: [0, 0.25, 0.5, 0.75, 1, 1.25],
        f16: [1.5, minusTenth.f16],
        bf16: [1.5, minusTenth.bf16],
        i64: [-100, 2 ** 40],
        i32: [-7],
        i16: [-7],
        i8: [-7],
        u8: [250],
        bool: [1, 0, 1],
        scalar: [3.5],
        empty: [],
      });
      expect(file.tensors.get("f32")).toMatchObject({ shape: [2, 3], count: 6, type: "f32" });
      expect(Array.from(file.tensors.get("f32")!.numbers(2, 3))).toEqual([0.5, 0.75, 1]);
      expect(file.tensors.get("bf16")!.stored()).toEqual(toHalf([1.5, -0.1], "bf16"));
      expect(file.tensors.get("empty")!.shape).toEqual([3, 0, 2]);
    });
  });
});

describe.each(["arrays.npz", "packed.npz"])("a file that numpy wrote: %s", (name) => {
  it("has arrays of either order and of either end first, and no texts", () => {
    opened(recorded(name), (file) => {
      const { zeros, bf16: bits, ...others } = listed(file);
      expect(others).toEqual({
        f32: [0, 0.25, 0.5, 0.75, 1, 1.25],
        columns: Array.from({ length: 24 }, (_, index) => index),
        big: [1, 2, -3],
        f16: [1.5, minusTenth.f16],
        ids: [-100, 7],
        mask: [1, 0],
        scalar: [2.5],
        empty: [],
      });
      expect(bits).toEqual([...toHalf([1.5, -0.1], "bf16")]);
      expect(file.tensors.get("bf16")!.type).toBe("raw16");
      expect(zeros === undefined || zeros.length === 120_000).toBe(true);
      expect(Array.from(file.tensors.get("columns")!.numbers(5, 4))).toEqual([5, 6, 7, 8]);
    });
  });
});

it("files of the specs are read as those of the libraries", () => {
  const tensors = {
    a: f32([1, -2.5, 3], 3, 1),
    b: bf16(toHalf([0.5, 7], "bf16"), 2),
    c: i64([-100, 5], 1, 2),
    d: bool([1, 0], 2),
  };
  const numbers = { a: [1, -2.5, 3], c: [-100, 5], d: [1, 0] };
  for (const bytes of [safetensors(tensors), npz(tensors), npz(tensors, true)])
    withFile(bytes, "step", (path) => {
      const { b, ...others } = opened(path, listed);
      expect(others).toEqual(numbers);
      expect([[0.5, 7], [...toHalf([0.5, 7], "bf16")]]).toContainEqual(b);
    });
});

const one = f32([1, 2], 2);
const header = (tensors: unknown): string => JSON.stringify(tensors);
const plain = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const eight = new Uint8Array(8);
const length = (bytes: bigint): Buffer => {
  const buffer = withHeader("{}");
  buffer.writeBigUInt64LE(bytes);
  return buffer;
};
const good = zip({ "a.npy": npy(one) });
const at = (bytes: Buffer, place: number, value: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(value, place);
  return changed;
};
const directory = good.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));

describe("a file that is not what it says", () => {
  it.each<readonly [string, Uint8Array, string, RegExp]>([
    ["is empty", new Uint8Array(), "tensor-file-kind", /neither a safetensors file nor an \.npz/],
    ["holds words", Buffer.from("words, and no tensors"), "tensor-file-kind", /neither/],
    [
      "is cut off",
      safetensors({ one }).subarray(0, -3),
      "tensor-file-malformed",
      /at byte \d+, the tensor "one" ends at byte/,
    ],
    [
      "has a header of 100 MB",
      length(100_000_000n),
      "tensor-file-malformed",
      /at byte 0, the header is said to take 100000000 bytes/,
    ],
    [
      "has a header of 2^64 − 1 bytes",
      length(2n ** 64n - 1n),
      "tensor-file-malformed",
      /at byte 0, the header is said to take 18446744073709551615/,
    ],
    [
      "has a long header",
      withHeader(`{}${" ".repeat(2 ** 21)}`),
      "tensor-file-refused",
      /at byte 0, .* more than the 131072/,
    ],
    [
      "has a header of no UTF-8",
      withHeader("{\u00ff").fill(0xff, 9),
      "tensor-file-malformed",
      /at byte 8, the header is no UTF-8/,
    ],
    [
      "names a tensor twice",
      withHeader(`{"a":${header(plain)},"a":${header(plain)}}`, eight),
      "json-key-twice",
      /header from byte 8 on: the key "a" stands twice/,
    ],
    [
      "has tensors that overlap",
      withHeader(header({ a: plain, b: { ...plain, data_offsets: [4, 12] } }), new Uint8Array(12)),
      "tensor-file-malformed",
      /at byte \d+, the tensor "b" overlaps/,
    ],
    [
      "has a gap",
      withHeader(header({ a: { ...plain, data_offsets: [4, 12] } }), new Uint8Array(12)),
      "tensor-file-malformed",
      /4 bytes belong to no tensor/,
    ],
    [
      "has more behind",
      withHeader(header({ a: plain }), new Uint8Array(12)),
      "tensor-file-malformed",
      /4 bytes follow the last tensor/,
    ],
    [
      "has a shape of another size",
      withHeader(header({ a: { ...plain, shape: [3] } }), eight),
      "tensor-file-malformed",
      /has 8 bytes, but its shape 3 takes 12 in F32/,
    ],
    [
      "has a shape that overflows",
      withHeader(header({ a: { ...plain, shape: [2 ** 32, 2 ** 32] } }), eight),
      "tensor-file-malformed",
      /takes Infinity in F32/,
    ],
    [
      "has a shape below zero",
      withHeader(header({ a: { ...plain, shape: [-2] } }), eight),
      "tensor-file-malformed",
      /has no shape/,
    ],
    [
      "has offsets that descend",
      withHeader(header({ a: { ...plain, data_offsets: [8, 0] } }), eight),
      "tensor-file-malformed",
      /has no data_offsets that ascend/,
    ],
    [
      "has hostile names",
      withHeader(header({ "../../\u001b[31m\u202e": { ...plain, shape: [9] } }), eight),
      "tensor-file-malformed",
      /\\u001b\[31m\\u202e/,
    ],
    [
      "lost the zip directory",
      good.subarray(0, -30),
      "tensor-file-malformed",
      /directory of the zip file is missing/,
    ],
    [
      "has a directory that ends behind its end",
      at(good, good.length - 10, 5000),
      "tensor-file-malformed",
      /said to take 5000 bytes/,
    ],
    [
      "has a member elsewhere",
      at(good, directory + 42, 7),
      "tensor-file-malformed",
      /at byte 7, the header of the member "a\.npy" is missing/,
    ],
    [
      "has a member of another size",
      at(good, directory + 24, 7),
      "tensor-file-malformed",
      /is stored in \d+ bytes, but has 7/,
    ],
    [
      "has a member that takes too much",
      at(at(good, directory + 24, 5000), directory + 20, 5000),
      "tensor-file-malformed",
      /end behind the beginning of the directory/,
    ],
    ["is encrypted", at(good, directory + 8, 1), "tensor-file-refused", /is encrypted/],
    [
      "is packed otherwise",
      at(good, directory + 8, 12 << 16),
      "tensor-file-refused",
      /packed by method 12/,
    ],
    [
      "unpacks without end",
      at(
        at(
          zip({ "a.npy": npy(one) }, true),
          -1 + 1 + zip({ "a.npy": npy(one) }, true).indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24,
          2 ** 31 - 1,
        ),
        0,
        0x04034b50,
      ),
      "tensor-file-malformed",
      /which no deflated data do/,
    ],
    [
      "holds pickled objects",
      npz({ a: { ...one, dtype: "|O" } }),
      "tensor-file-refused",
      /pickled objects/,
    ],
    ["has no header", zip({ "a.npy": npy(one, "{}") }), "tensor-file-malformed", /without descr/],
    [
      "has an array of another size",
      npz({ a: { ...one, shape: [3] } }),
      "tensor-file-malformed",
      /has 8 bytes, but its shape 3 takes 12/,
    ],
    [
      "has no numpy in it",
      zip({ "a.npy": Buffer.from("words and words") }),
      "tensor-file-malformed",
      /without numpy's mark/,
    ],
  ])("%s", (_, bytes, code, sentence) => {
    withFile(bytes, "step", (path) => {
      const [found, message] = errorOf(() => opened(path, listed));
      expect(found).toBe(code);
      expect(message).toMatch(sentence);
      expect(isOneSafeLine(message)).toBe(true);
      expect(message).toContain(path);
    });
  });

  it.each(["objects.npz", "records.npz"])(
    "holds what numpy would run or take apart: %s",
    (name) => {
      expect(errorOf(() => openTensors(recorded(name)))[0]).toBe("tensor-file-refused");
    },
  );

  it("is not there, or is a folder", () => {
    expect(errorOf(() => openTensors(recorded("none.npz")))[1]).toContain("does not exist");
    expect(errorOf(() => openTensors(recorded("")))[1]).toContain("is no file");
  });
});

it("a file is not changed, and closing it twice is no mistake", () => {
  withFile(safetensors({ one }), "step", (path) => {
    const file = openTensors(path);
    const hash = createHash("sha256").update(file.tensors.get("one")!.numbers()).digest("hex");
    file.close();
    file.close();
    expect(hash).toHaveLength(64);
    expect(opened(path, listed)).toEqual({ one: [1, 2] });
  });
});
