// Lowers the expressions of a pass over blocks (src/block) to values of a kernel, once for each vector of a block: leaves are
// looked up, and a number of the row is repeated in each component where it meets a vector of entries.

import { topological, type Node } from "../core/node.ts";
import { singles } from "./arithmetic.ts";
import * as k from "./kernel.ts";
import type { Lanes, Value } from "./kernel.ts";

/** The values that are there already, by what they stand for. */
export type Leaves = (node: Node) => Value | null;

export const leavesOf = (known: ReadonlyMap<Node, Value>): Leaves => {
  return (node) => known.get(node) ?? null;
};
export const bothOf =
  (first: Leaves, second: Leaves): Leaves =>
  (node) =>
    first(node) ?? second(node);

const widest = (values: readonly Value[]): Lanes =>
  Math.max(...values.map(({ lanes }) => lanes)) as Lanes;
const alike = (values: readonly Value[]): readonly Value[] => {
  const lanes = widest(values);
  return values.map((value) => k.splat(value, lanes));
};

/** The value of an expression, written out: a pass names what is used often, and its expressions are short. */
export function lowered(node: Node, leaves: Leaves): Value {
  const known = leaves(node);
  if (known !== null) return known;
  const from = (arg: Node): Value => lowered(arg, leaves);
  switch (node.tag) {
    case "const":
      return singles.constant(node);
    case "unary":
    case "binary": {
      const made = singles.apply(node, alike(node.args.map(from)));
      return "tag" in made ? from(made) : made;
    }
    case "select": {
      const condition = from(node.args[0]);
      const [whenTrue, whenFalse] = alike([...node.args.slice(1).map(from), condition]) as [
        Value,
        Value,
      ];
      return k.choose(condition, whenTrue, whenFalse);
    }
    default:
      throw new Error(`no value is known for ${node.tag}`);
  }
}

/** The parts of an expression, which never changes. */
const partsOf = new WeakMap<Node, ReadonlySet<Node>>();

/** Whether an expression uses a part; what is shared in it is looked at once. */
export function uses(node: Node, part: Node): boolean {
  const parts = partsOf.get(node) ?? new Set(topological([node]));
  partsOf.set(node, parts);
  return parts.has(part);
}
