// Evaluates an expression along the vocabulary at one entry: the leaves are the logits of the models, the
// slots that the row program filled, the label and the entry's own number. Used where an expression has no
// normal form, one scalar entry at a time.

import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { singles } from "./arithmetic.ts";
import type { Leaves } from "./entries.ts";
import * as k from "./kernel.ts";
import type { Statement, Value } from "./kernel.ts";
import { scope } from "./scalar.ts";

export interface EntryLeaves {
  readonly logit: (model: ModelName) => Value;
  /** Values that the row brings. */
  readonly given: Leaves;
  readonly param: (name: string) => Value;
  readonly entry: Value;
  readonly label: Value;
}

/** Statements that compute the bodies, and their values. */
export function atEntry(
  bodies: readonly Node[],
  leaves: EntryLeaves,
  names: { next: number },
): { readonly statements: readonly Statement[]; readonly values: readonly Value[] } {
  const inner = scope(
    (node) => {
      if (node.tag === "param") return leaves.param(node.name);
      if (node.tag === "iota") return k.convert("i32", leaves.entry);
      if (node.tag === "count") return k.convert("f32", k.uniform("vocab"));
      if (node.tag !== "input") return null;
      const { datum } = node;
      if (datum.kind === "label") return k.convert("i32", leaves.label);
      return datum.kind === "entry" ? leaves.logit(datum.model) : leaves.given(node);
    },
    names,
    singles,
  );
  const values = bodies.map((body) => inner.value(body));
  return { statements: inner.statements, values };
}
