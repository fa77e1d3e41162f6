// Remembers what the kernels will have to provide while expressions are read: which fields of a running pass,
// and which reductions that need a pass of their own, each with the source terms that asked for it.

import { binary } from "../core/build.ts";
import { isTokenAxis, responseOf } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import type { Node } from "../core/node.ts";
import { fieldInput, logitsOfInput, type FieldSpec, type Logits } from "./fields.ts";
import { skeletonOf, type Skeleton } from "./skeleton.ts";

export interface FieldUse {
  readonly spec: FieldSpec;
  readonly response: string;
  /** The source terms that this field serves. */
  readonly sources: Set<Node>;
}
/** A reduction along the vocabulary that no running pass can make; `index` is shared by equal skeletons. */
export interface Total {
  readonly index: number;
  readonly op: "sum" | "max";
  readonly response: string;
  readonly skeleton: Skeleton;
  readonly source: Node;
}
/** Each function returns the field as an input of the row program; `source` is the term that needs it. */
export interface Recorder {
  readonly fields: ReadonlyMap<Node, FieldUse>;
  readonly totals: readonly Total[];
  field(spec: FieldSpec, response: string, source: Node): Node;
  /** max_v z */
  maximum(z: Node, source: Node): Node;
  /** z_y − max_v z */
  label(z: Node, source: Node): Node;
  /** A reduction outside the class of running passes. */
  total(op: "sum" | "max", body: Node, source: Node): Node;
  /** Whether a field is the maximum of this body along the vocabulary, as a later pass found it. */
  isMaximumOf(field: Node, body: Node): boolean;
}

export function recorder(): Recorder {
  const fields = new Map<Node, FieldUse>();
  const totals: Total[] = [];
  const totalKeys: string[] = [];

  const field = (spec: FieldSpec, response: string, source: Node): Node => {
    const node = fieldInput(spec, response);
    const use = fields.get(node) ?? { spec, response, sources: new Set<Node>() };
    use.sources.add(source);
    fields.set(node, use);
    return node;
  };
  const maximum = (z: Node, source: Node): Node => {
    const { model, response } = logitsOrFail(z);
    return field({ kind: "maximum", model }, response, source);
  };
  const label = (z: Node, source: Node): Node => {
    const { model, response } = logitsOrFail(z);
    const entry = field({ kind: "label", model }, response, source);
    return binary("minus", entry, maximum(z, source));
  };
  const total = (op: "sum" | "max", body: Node, source: Node): Node => {
    const skeleton = skeletonOf(body);
    const response = tokenResponse(source);
    if (skeleton.models.length === 0) {
      fail(
        "vocabulary-without-tokens",
        `${printExpression(source, 16)} is over the vocabulary and reads no logits, so there is no row of logits to reduce; let it read the logits of a response.`,
      );
    }
    // a response may need several totals of one skeleton, each with slots of its own
    for (let occurrence = 0; ; occurrence++) {
      const key = `${op} ${skeleton.body.id}#${occurrence}`;
      const known = totalKeys.indexOf(key);
      const index = known >= 0 ? known : totalKeys.push(key) - 1;
      const same = totals.find((other) => other.index === index && other.response === response);
      if (same !== undefined && same.skeleton.slots.some((slot, i) => slot !== skeleton.slots[i]))
        continue;
      if (same === undefined) totals.push({ index, op, response, skeleton, source });
      return field({ kind: "total", index }, response, source);
    }
  };

  const isMaximumOf = (found: Node, body: Node): boolean => {
    const { spec, response } = fields.get(found) ?? {};
    if (spec?.kind !== "total") return false;
    const skeleton = skeletonOf(body);
    return totals.some(
      (other) =>
        other.op === "max" &&
        other.index === spec.index &&
        other.response === response &&
        other.skeleton.body === skeleton.body &&
        other.skeleton.slots.every((slot, i) => slot === skeleton.slots[i]),
    );
  };

  return { fields, totals, field, maximum, label, total, isMaximumOf };
}

/** The logits that a node is. @throws PrefcError unsupported-input */
export const logitsOrFail = (z: Node): Logits =>
  logitsOfInput(z) ??
  fail(
    "unsupported-input",
    "Only logits have a vocabulary axis; this is a bug of prefc, so please report it with the objective.",
  );

/** The one response whose tokens a node ranges over. */
export function tokenResponse(node: Node): string {
  const axis = node.axes.find(isTokenAxis);
  return axis === undefined
    ? fail(
        "vocabulary-without-tokens",
        `${printExpression(node, 16)} is over the vocabulary and belongs to no token of a response, so there is no row of logits to reduce; let it read the logits of a response.`,
      )
    : responseOf(axis);
}
