// A loss with every decision at a kink frozen as the derivative takes it: differences of it are smooth there, and must give the
// derived gradient, share by share. So a check at the first step tests the slope that is taken instead of leaving it out.

import type { Batch, Params } from "../batch/batch.ts";
import { topological, type Node } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import type { Tensor } from "../reference/tensor.ts";
import type { Kinks } from "./find.ts";
import { sided, taken } from "./sides.ts";

/** A loss, and the nodes of it whose values stay what they are at a batch. */
export interface Frozen {
  readonly loss: Node;
  /** The decisions at kinks. */
  readonly decided: ReadonlyMap<Node, Tensor>;
  /** These, and what is under a stopped gradient. */
  readonly held: ReadonlyMap<Node, Tensor>;
}

/** @throws PrefcError what `evaluate` throws */
export function frozenAt(
  root: Node,
  { kinks, contests }: Kinks,
  batch: Batch,
  params: Params,
): Frozen {
  const valueOf = (node: Node): Tensor => evaluate([node], batch, params)[0]!;
  const { loss, held } = sided(root, kinks, contests, valueOf);
  const given = held(taken);
  const stops = topological([loss]).filter((node) => node.tag === "stop" && !given.has(node));
  const values = evaluate(stops, batch, params, given);
  return {
    loss,
    decided: given,
    held: new Map([...given, ...stops.map((node, position) => [node, values[position]!] as const)]),
  };
}
