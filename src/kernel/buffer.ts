// What a kernel reads and writes: buffers, each known by what it holds, which the runtime fills from the batch, and memory
// that the lanes of a workgroup share.

import type { Lanes, Scalar } from "./value.ts";

/** What a buffer holds. */
export type Role =
  | {
      readonly kind:
        | "shape"
        | "window"
        | "work"
        | "params"
        | "labels"
        | "ragged"
        | "rows"
        | "terms"
        | "examples"
        | "scalars"
        | "status"
        | "parts";
    }
  /** token of a physical row, or a marker, for the tensors of one model */
  | { readonly kind: "tokenOf"; readonly model: string }
  /** physical row of a token */
  | { readonly kind: "rowOf"; readonly model: string }
  | { readonly kind: "logits"; readonly model: string }
  | { readonly kind: "gradient"; readonly model: string };

/** What one element of a buffer is; lanes may change an atomic one at the same time. */
export interface Element {
  readonly type: Scalar;
  readonly lanes: Lanes;
  readonly atomic?: boolean;
}
/** What has elements. */
export interface Memory {
  readonly name: string;
  readonly element: Element;
}
export interface Buffer extends Memory {
  readonly role: Role;
}
export interface Binding extends Buffer {
  readonly access: "uniform" | "read" | "write";
  /** How many elements a uniform has. */
  readonly length?: number;
}
/** Memory of a workgroup. */
export interface Shared extends Memory {
  readonly length: number;
}

const word: Element = { type: "u32", lanes: 1 };
const single: Element = { type: "f32", lanes: 1 };
const pair: Element = { type: "pair", lanes: 1 };

const buffer = (name: string, role: Role, element: Element): Buffer => ({ name, role, element });
/** The token of each row of the window, or a marker. */
export const tokenOf = (model: string): Buffer =>
  buffer("token_of", { kind: "tokenOf", model }, word);
export const labels: Buffer = buffer("labels", { kind: "labels" }, word);
/** The row of a further model that belongs to a token. */
export const rowOf = (model: string): Buffer =>
  buffer(`row_of_${model}`, { kind: "rowOf", model }, word);
/** Fields of tokens, one after the other. */
export const rows: Buffer = buffer("rows", { kind: "rows" }, single);
/** Pairs of tokens, one after the other, that the steps of a row program hand to each other. */
export const terms: Buffer = buffer("terms", { kind: "terms" }, pair);
/** The first token of each response of each example and the end; then the response of its example of each token. */
export const ragged: Buffer = buffer("ragged", { kind: "ragged" }, word);
export const examples: Buffer = buffer("examples", { kind: "examples" }, pair);
export const scalars: Buffer = buffer("scalars", { kind: "scalars" }, pair);
/** What a run reports, by word; each holds the largest number that any lane left. */
export const status: Buffer = buffer("status", { kind: "status" }, { ...word, atomic: true });
/** Accumulators of every part of every token, where rows are split. */
export const parts: Buffer = buffer("parts", { kind: "parts" }, word);

export const reads = (of: Buffer): Binding => ({ ...of, access: "read" });
export const writes = (of: Buffer): Binding => ({ ...of, access: "write" });
const uniform = (
  kind: "shape" | "window" | "work" | "params",
  element: Element,
  length: number,
): Binding => ({
  ...buffer(kind, { kind }, element),
  access: "uniform",
  length,
});
/** Extents of the batch. */
export const shapeBinding: Binding = uniform("shape", word, 3);
/** The rows of a dispatch. */
export const windowBinding: Binding = uniform("window", word, 3);
/** What a step of a row program reads and writes. */
export const workBinding: Binding = uniform("work", word, 4);
/** Parameters of the objective, as pairs. */
export const paramsBinding = (count: number): Binding => uniform("params", pair, count);
