// How the inputs of a golden file become a batch. Most sources hold the chosen rows and then the rejected ones; a
// family whose rows are different brings a layout of its own.

import type { Batch, Params } from "../batch/batch.ts";
import { fromTrl } from "../batch/trl.ts";
import { PrefcError } from "../core/error.ts";
import { isGiven, type Golden } from "./golden.ts";
import { member, tensor, type Place } from "./place.ts";

/** A batch, and the recorded gradient in the shape of the tensor that it is taken with respect to. */
export interface Recorded {
  readonly batch: Batch;
  /** d loss / d policy logits, row-major. */
  readonly gradient: Float64Array;
  /** The state that the recorded step began with, if it is not the initial one. */
  readonly state?: Params;
}
export type Layout = (golden: Golden) => Recorded;

/** Gives the sentence of a mistake in a file the file's name. */
export function naming<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof PrefcError) || error.message.startsWith(`${file}: `)) throw error;
    throw new PrefcError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

/** Rows 0 … B−1 are chosen, B … 2B−1 rejected; logits at t predict token t + 1. */
export const pairs: Layout = (golden) => {
  const { examples, length, vocab } = golden.shapes;
  const rows = 2 * examples;
  const at = (name: string): Place => member(golden.inputs, name);
  const logits = (name: string): Float64Array => tensor(at(name), [rows, length, vocab]);
  const ref = isGiven(at("ref_logits"));
  const data = {
    input_ids: tensor(at("input_ids"), [rows, length]),
    completion_mask: tensor(at("completion_mask"), [rows, length]),
    policy_logits: logits("policy_logits"),
    ...(ref ? { ref_logits: logits("ref_logits") } : {}),
    shape: [rows, length, vocab] as const,
  };
  return {
    batch: naming(golden.file, () => fromTrl(data)),
    gradient: tensor(member(golden.outputs, "grad_policy_logits"), [rows, length, vocab]),
  };
};
