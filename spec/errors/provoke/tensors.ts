// Provokes the errors of files of tensors.
import type { tensors as rows } from "../../../src/core/errors/tensors.ts";
import { audit } from "../../../src/audit/audit.ts";
import { readStep } from "../../../src/audit/step.ts";
import {
  builtIn,
  exp,
  logSoftmax,
  mean,
  objective,
  square,
  sum,
  type Objective,
} from "../../../src/index.ts";
import type { TensorFile } from "../../../src/tensors/tensor.ts";
import { openTensors } from "../../../src/tensors/open.ts";
import { f32, i64, npy, safetensors, withFile, zip, type Plain } from "../../support/tensors.ts";
import type { Provocations } from "./provocations.ts";

/** What opening a file of these bytes ends in, with the file's name alone in the sentence. */
const opened = (
  bytes: Uint8Array,
  name: string = "step.safetensors",
  act: (file: TensorFile) => unknown = ({ tensors }) =>
    [...tensors.values()].map((tensor) => tensor.stored()),
): unknown =>
  withFile(bytes, name, (path) => {
    try {
      return act(openTensors(path));
    } catch (error) {
      (error as Error).message = (error as Error).message.replaceAll(path, name);
      throw error;
    }
  });

/** A step of one pair of one token each. */
const step: Readonly<Record<string, Plain>> = {
  input_ids: i64([1, 2, 1, 0], 2, 2),
  completion_mask: i64([0, 1, 0, 1], 2, 2),
  policy_logits: f32([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], 2, 2, 3),
  ref_logits: f32([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], 2, 2, 3),
};
const audited = (
  given: Readonly<Record<string, Plain>>,
  made: Objective = builtIn("dpo"),
): unknown =>
  opened(safetensors(given), "step.safetensors", (file) => audit(readStep(file, null), made, {}));

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
  "step-tensor-missing": () => audited({ input_ids: i64([1, 2, 1, 2], 2, 2) }),
  "step-tensor-shape": () => audited({ ...step, input_ids: i64([1, 2], 1, 2) }),
  "step-tensor-value": () => audited({ ...step, completion_mask: i64([0, 1, 0, 7], 2, 2) }),
  "audit-responses": () => audited(step, builtIn("kto")),
  "audit-term": () =>
    audited(
      step,
      objective(
        "spread",
        ["w"],
        ({ policy, y }) =>
          sum("vocab", square(mean("token", exp(logSoftmax("vocab", policy.logits(y.w)))))),
        { source: "this test" },
      ),
    ),
  "tensor-type": () => opened(safetensors({ policy_logits: i64([1, 2], 2) })),
};
