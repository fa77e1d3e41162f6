// How kernels tell what is wrong with a token. The status buffer has one word for each thing that can be wrong: 0 says that no
// token has it, else the word is 0xffffffff − token for the first token that has it, so that the largest value is the first
// token. Kernels write words with `report`, and whoever reads a run asks `firstToken`; nobody else knows the numbers.

import type { ModelName } from "../core/inputs.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Statement } from "./kernel.ts";
import * as row from "./row.ts";
import type { Layout } from "./storage.ts";

/** What can be wrong with a token's logits of one model. */
export type LogitFault =
  /** A logit is NaN, +Infinity or too large. */
  | "not-finite"
  /** The logit of the label is masked. */
  | "label-impossible"
  /** A masked entry has a weight other than 0. */
  | "masked-entry-weighted";

/** The word of a gradient that leaves the range of the type in which it is stored. */
export const gradientWord = 4;

// so that a kernel is the same whatever other models an objective reads, each model's words have a place of their own
const firstWords: Readonly<Record<LogitFault, readonly [first: number, second: number]>> = {
  "not-finite": [0, 2],
  "label-impossible": [1, 3],
  "masked-entry-weighted": [5, 6],
};
const faults = Object.keys(firstWords) as readonly LogitFault[];

/** The models of a layout in the order of their words. */
export const modelsIn = ({ storage }: Pick<Layout, "storage">): readonly ModelName[] =>
  Object.keys(storage);

/** The word of what can be wrong with the logits of the model at a position in that order. */
export const wordAt = (position: number, fault: LogitFault): number =>
  firstWords[fault][position] ?? 1 + faults.length * position + faults.indexOf(fault);

/** The word of what can be wrong with a model's logits. */
export const logitWord = (
  layout: Pick<Layout, "storage">,
  model: ModelName,
  fault: LogitFault,
): number => wordAt(modelsIn(layout).indexOf(model), fault);

/** Words of the status buffer for so many models. */
export const statusWords = (models: number): number => 1 + faults.length * Math.max(2, models);

const none = 0xffffffff;

/** Tells of the token of the row at hand. */
export const report = (word: number): Statement =>
  k.atomic("max", k.load(buffers.status, k.u32(word)), k.minus(k.u32(none), row.token));

/** The first token that a word tells of; null for none. */
export const firstToken = (status: Uint32Array, word: number): number | null =>
  status[word] === 0 ? null : none - status[word]!;

/** Whether no word tells of any token. */
export const isClean = (status: Uint32Array): boolean => status.every((word) => word === 0);
