// Opens a file of tensors: safetensors or .npz, told apart by their first bytes and not by their names.

import { fail } from "../core/error.ts";
import { openBytes } from "./bytes.ts";
import { readNpz } from "./npz.ts";
import { looksLikeSafetensors, readSafetensors } from "./safetensors.ts";
import type { TensorFile } from "./tensor.ts";
import { looksLikeZip } from "./directory.ts";

/**
 * The tensors of a file. They are read when they are asked for; the file is open until it is closed.
 * @throws PrefcError "tensor-file-missing", "tensor-file-kind", "tensor-file-malformed", "tensor-file-refused"
 */
export function openTensors(path: string): TensorFile {
  const file = openBytes(path);
  try {
    const isSafe = looksLikeSafetensors(file);
    if (!isSafe && !looksLikeZip(file)) {
      fail(
        "tensor-file-kind",
        `${file.name} is neither a safetensors file nor an .npz file by its first bytes; write it with safetensors.torch.save_file or numpy.savez.`,
      );
    }
    const tensors = isSafe ? readSafetensors(file) : readNpz(file);
    return { name: file.name, tensors, close: file.close };
  } catch (error) {
    file.close();
    throw error;
  }
}
