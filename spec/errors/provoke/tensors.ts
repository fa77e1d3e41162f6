// Provokes the errors of files of tensors.
import type { tensors as rows } from "../../../src/core/errors/tensors.ts";
import { openTensors } from "../../../src/tensors/open.ts";
import { f32, i64, npy, safetensors, withFile, zip } from "../../support/tensors.ts";
import type { Provocations } from "./provocations.ts";

/** What opening a file of these bytes ends in, with the file's name alone in the sentence. */
const opened = (bytes: Uint8Array, name: string = "step.safetensors"): unknown =>
  withFile(bytes, name, (path) => {
    try {
      const file = openTensors(path);
      return [...file.tensors.values()].map((tensor) => tensor.stored());
    } catch (error) {
      (error as Error).message = (error as Error).message.replaceAll(path, name);
      throw error;
    }
  });

export const tensors: Provocations<typeof rows> = {
  "tensor-file-missing": () => openTensors("nowhere/step.safetensors"),
  "tensor-file-kind": () => opened(Buffer.from("these are words, and no tensors")),
  "tensor-file-malformed": () => opened(safetensors({ logits: f32([1, 2], 2) }).subarray(0, -3)),
  "tensor-file-refused": () =>
    opened(
      zip({
        "ids.npy": npy(f32([1], 1), "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
      }),
      "step.npz",
    ),
  "tensor-type": () => opened(safetensors({ policy_logits: i64([1, 2], 2) })),
};
