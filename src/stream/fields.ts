// What a pass over the vocabulary leaves behind for each row. A field is one f32 per completion token; the
// programs that follow see it as an ordinary input of the core calculus, named by its specification, so they
// can be printed, rewritten and interpreted like everything else.

import { tokenAxis } from "../core/axis.ts";
import { input } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";

/** Exponent and power of one model's centred logits x = z − max z in a moment Σ_v Π e^{d·x} x^k. */
export interface ModelPower {
  readonly model: ModelName;
  readonly d: number;
  readonly k: number;
}

export type FieldSpec =
  /** max_v z */
  | { readonly kind: "maximum"; readonly model: ModelName }
  /** z_y, the logit of the label */
  | { readonly kind: "label"; readonly model: ModelName }
  /** Σ_v e^{d·x} − 1: the sum without one maximal entry, so that its log1p keeps its precision near 0 */
  | { readonly kind: "excess"; readonly model: ModelName; readonly d: number }
  /** Σ_v Π e^{d·x} x^k */
  | { readonly kind: "moment"; readonly powers: readonly ModelPower[] }
  /** how many entries reach the maximum */
  | { readonly kind: "ties"; readonly model: ModelName }
  /** a sum or maximum outside the class, made by a later pass: the position of that pass's result */
  | { readonly kind: "total"; readonly index: number };

/** A field that a running pass leaves. */
export type FieldOfPass = Exclude<FieldSpec, { readonly kind: "total" }>;

/** A logits input of the core, taken apart. */
export interface Logits {
  readonly model: ModelName;
  readonly response: string;
}

export function logitsOfInput(node: Node): Logits | null {
  return node.tag === "input" && node.datum.kind === "logits" ? node.datum : null;
}

/** The models whose logits a field is made of. */
export function modelsOf(spec: FieldSpec): readonly ModelName[] {
  if (spec.kind === "total") return [];
  return spec.kind === "moment"
    ? [...new Set(spec.powers.map(({ model }) => model))]
    : [spec.model];
}

/** Canonical spelling of a field, without the response: responses are stacked and share it. */
export function fieldKey(spec: FieldSpec): string {
  switch (spec.kind) {
    case "maximum":
    case "label":
    case "ties":
      return `${spec.kind}.${spec.model}`;
    case "excess":
      return `excess[${spec.d}].${spec.model}`;
    case "moment":
      return `moment[${spec.powers.map(({ model, d, k }) => `${model}:${d},${k}`).join(";")}]`;
    case "total":
      return `total[${spec.index}]`;
  }
}

/** The field of one response, as an input of the row program. */
export function fieldInput(spec: FieldSpec, response: string): Node {
  return input({ kind: "field", key: fieldKey(spec), response }, ["batch", tokenAxis(response)]);
}

/** The mathematics of a field, for explanations. */
export function describeField(spec: FieldSpec): string {
  switch (spec.kind) {
    case "maximum":
      return `max_v z(${spec.model})`;
    case "label":
      return `z_y (${spec.model})`;
    case "excess":
      return `Σ_v e^{${spec.d === 1 ? "" : spec.d}x} − 1 (${spec.model})`;
    case "moment":
      return `Σ_v ${spec.powers.map(({ model, d, k }) => `${d === 0 ? "" : `e^{${d === 1 ? "" : d}x}`}${k === 0 ? "" : `x${k === 1 ? "" : `^${k}`}`} (${model})`).join(" · ")}`;
    case "ties":
      return `#{v : z = max z} (${spec.model})`;
    case "total":
      return `second-pass reduction ${spec.index}`;
  }
}
