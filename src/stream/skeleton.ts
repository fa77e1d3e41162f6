// An expression along the vocabulary, with everything that does not depend on the entry cut out into slots.
// Two responses whose expressions differ only in their slots have one skeleton, so they share one stream:
// "equal up to renaming" is equality of interned skeletons.

import { binary, constant, input, unary, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { logitsOfInput } from "./fields.ts";

export interface Skeleton {
  /** Over the inputs `z.MODEL` [vocab], `slot.I` [], and `label` [], which name no response. */
  readonly body: Node;
  /** The row-level expressions that fill the slots. */
  readonly slots: readonly Node[];
  readonly models: readonly ModelName[];
}

export const entryOf = (model: ModelName): Node => input({ kind: "entry", model }, ["vocab"]);
export const slotInput = (position: number): Node => input({ kind: "slot", position }, []);
export const labelInput: Node = input({ kind: "label" }, [], "i32");

/** Cuts a body at its row-level parts; slots are numbered from `firstSlot`. */
export function skeletonOf(root: Node, firstSlot = 0): Skeleton {
  const slots: Node[] = [];
  const models = new Set<ModelName>();
  const made = new Map<Node, Node>();
  const slot = (value: Node): Node => {
    const known = slots.indexOf(value);
    if (known < 0) slots.push(value);
    return slotInput(firstSlot + (known < 0 ? slots.length - 1 : known));
  };
  const cut = (node: Node): Node => {
    const known = made.get(node);
    if (known !== undefined) return known;
    const result = cutOnce(node);
    made.set(node, result);
    return result;
  };
  const cutOnce = (node: Node): Node => {
    if (node.tag === "const" || node.tag === "param" || node.tag === "iota") return node;
    if (node.tag === "input") {
      const logits = logitsOfInput(node);
      if (logits !== null) {
        models.add(logits.model);
        return entryOf(logits.model);
      }
      if (node.datum.kind === "ids") return labelInput;
    }
    if (!node.axes.includes("vocab")) {
      if (node.dtype === "f32") return slot(node);
      if (node.dtype === "bool") return binary("gt", slot(unary("toReal", node)), constant(0.5));
      return fail(
        "unsupported-index",
        "A vocabulary expression compares the entry with an index other than the label; use the response's own ids.",
      );
    }
    return withArgs(node, node.args.map(cut));
  };
  const body = cut(root);
  return { body, slots, models: [...models].toSorted() };
}
