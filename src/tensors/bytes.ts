// A file as ranges of bytes. Only what is asked for is read, so that a recorded step of gigabytes is never held as a whole, and
// nothing is allocated because a file says how large something is: a range is held against the file's own size before.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fail } from "../core/error.ts";
import { mention } from "../core/quote.ts";

/** An open file. */
export interface ByteFile {
  /** As sentences name it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from `at` on, for the sake of `what`. @throws PrefcError "tensor-file-malformed" beyond the end */
  readonly read: (at: number, length: number, what: string) => Uint8Array<ArrayBuffer>;
  readonly close: () => void;
}

/** Refuses a file, naming the byte from which on it is not what it should be. @throws PrefcError "tensor-file-malformed" */
export function malformed(name: string, at: number, what: string): never {
  return fail(
    "tensor-file-malformed",
    `${name}: at byte ${at}, ${what}; record the step again, or copy the file anew.`,
  );
}

/** Bytes that one call of the system reads at most. */
const largestRead = 2 ** 30;

/** Opens a file. @throws PrefcError "tensor-file-missing" */
export function openBytes(path: string): ByteFile {
  const name = mention(path);
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : `cannot be opened (${code})`;
    return fail("tensor-file-missing", `The file ${name} ${why}; correct the path.`);
  }
  const stat = fstatSync(descriptor);
  const { size } = stat;
  if (!stat.isFile()) {
    closeSync(descriptor);
    fail("tensor-file-missing", `${name} is no file; give a .safetensors or .npz file.`);
  }
  const read = (at: number, length: number, what: string): Uint8Array<ArrayBuffer> => {
    if (at + length > size) {
      malformed(
        name,
        at,
        `${what} takes ${length} bytes, but the file ends after ${Math.max(0, size - at)} of them`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const part = Math.min(largestRead, length - done);
      const got = readSync(descriptor, bytes, done, part, at + done);
      if (got === 0) malformed(name, at + done, `${what} has lost its end while it was read`);
      done += got;
    }
    return bytes;
  };
  let open = true;
  const close = (): void => {
    if (open) closeSync(descriptor);
    open = false;
  };
  return { name, size, read, close };
}
