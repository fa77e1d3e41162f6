// Rules match exchangeable operands in either order, but a + b and b + a are still two nodes. This pass gives both the
// spelling that comes first in the graph: more is shared, and a formula keeps the order in which its author wrote it
// (sorting by id would make the printed form depend on what else was built before).

import { substitute } from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";
import { isCommutative } from "./termination.ts";

/** The roots with one spelling for each pair of exchangeable operands. */
export function shareExchanged(roots: readonly Node[]): readonly Node[] {
  const first = new Map<string, Node>();
  return substitute(
    roots,
    (node) => {
      if (node.tag !== "binary" || !isCommutative(node.op)) return node;
      const [a, b] = node.args;
      const key = `${node.op} ${Math.min(a.id, b.id)} ${Math.max(a.id, b.id)}`;
      const known = first.get(key);
      if (known === undefined) first.set(key, node);
      return known ?? node;
    },
    topological(roots),
  );
}
