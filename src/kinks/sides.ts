// A loss in which the sides of some bends are chosen from outside, place by place: what it would be if every engine took this
// side or that, and the smooth loss whose slope is the one that the derivative takes.

import { binary, constant, reduce, select, stop, substitute } from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";
import type { Tensor } from "../reference/tensor.ts";
import { bendsOf, type Bend, type Contest } from "./sites.ts";

/** A bend, where a batch is on it, and what its gap is there. */
export interface Place {
  readonly bend: Bend;
  /** 1 where the batch is on the bend, over the axes of the gap. */
  readonly here: Tensor;
  readonly gap: Tensor;
}

/** How much of the side above is taken at an entry of the gap: 1, 0, or a share of both. */
export type Side = (place: Place, entry: number) => number;

/** What the derivative takes. */
export const taken: Side = ({ bend, gap }, entry) =>
  gap.data[entry] === 0 ? bend.share : Number(gap.data[entry]! > 0);

/** A loss, and the nodes of it whose values are given when it is evaluated. */
export interface Sided {
  readonly loss: Node;
  readonly held: (side: Side) => ReadonlyMap<Node, Tensor>;
}

/** A node over the axes of another, to be given a value; no formula has two stops in a row. */
const placeholder = (of: Node, position: number): Node =>
  stop(stop(binary("plus", of, constant(position))));

/** The loss with the sides of these bends, and the winners of these contests, as they are given. */
export function sided(
  loss: Node,
  places: readonly Place[],
  contests: readonly Contest[] = [],
  valueOf: (node: Node) => Tensor = ({ axes }) => ({ axes, data: new Float64Array() }),
): Sided {
  const made = new Map<Node, (side: Side) => Tensor>();
  const changes = new Map<Node, (rebuilt: Node) => Node>();

  for (const [position, place] of places.entries()) {
    const { bend, here, gap } = place;
    if (bend.condition !== null) {
      const isGreater = bend.condition.op === "gt" || bend.condition.op === "ge";
      const decided = (side: Side): Tensor => ({
        ...gap,
        data: gap.data.map((_, entry) => {
          const above = side(place, entry);
          return isGreater ? above : 1 - above;
        }),
      });
      changes.set(bend.condition, (rebuilt) => {
        made.set(rebuilt, decided);
        return rebuilt;
      });
      continue;
    }
    const isHere = placeholder(bend.gap, 2 * position);
    const share = placeholder(bend.gap, 2 * position + 1);
    made.set(isHere, () => here);
    made.set(share, (side) => ({ ...gap, data: gap.data.map((_, entry) => side(place, entry)) }));
    changes.set(bend.node, (rebuilt) => {
      const [{ above, below }] = bendsOf(rebuilt) as [Bend];
      const rest = binary("minus", constant(1), share);
      const mixed = binary("plus", binary("times", share, above), binary("times", rest, below));
      return select(binary("gt", isHere, constant(0)), mixed, rebuilt);
    });
  }
  for (const { node } of contests) {
    if (node.tag === "sort") {
      const order = valueOf(node);
      changes.set(node, (rebuilt) => {
        made.set(rebuilt, () => order);
        return rebuilt;
      });
      continue;
    }
    const isTop = stop(stop(binary("eq", node.args[0], node)));
    const tops = valueOf(binary("eq", node.args[0], node));
    made.set(isTop, () => tops);
    changes.set(node, (rebuilt) => {
      const pick = (x: Node): Node => reduce("sum", node.axis, select(isTop, x, constant(0)));
      return binary("over", pick((rebuilt as Contest["node"]).args[0]), pick(constant(1)));
    });
  }
  const [changed] = substitute(
    [loss],
    (rebuilt, original) => changes.get(original)?.(rebuilt) ?? rebuilt,
    topological([loss]),
  );
  return {
    loss: changed!,
    held: (side) => new Map([...made].map(([node, table]) => [node, table(side)] as const)),
  };
}
