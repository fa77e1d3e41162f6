// What a finished objective reads, for combinators that make sense of some objectives and not of others.

import { topological, type Node } from "../core/node.ts";
import { requireObjective, type Objective } from "./objective.ts";

const some = (objective: Objective, is: (node: Node) => boolean): boolean =>
  topological([requireObjective("reads", objective).loss]).some(is);

/** Questions about the loss of an objective. */
export const reads: {
  /** Whether its loss reads the run-time parameter of this name. */
  readonly param: (objective: Objective, name: string) => boolean;
  /** Whether its loss reads examples in another order than the batch's, so that its numbers belong to no example. */
  readonly sorted: (objective: Objective) => boolean;
} = {
  param: (objective, name) => some(objective, (node) => node.tag === "param" && node.name === name),
  sorted: (objective) => some(objective, (node) => node.tag === "sort"),
};
