// The operators as functions of core nodes: each makes exactly the node of its name, which is how rules and derivatives are
// written.

import type { Axis } from "./axis.ts";
import { binary, constant, reduce, select, unary } from "./build.ts";
import type { Node } from "./node.ts";
import type { Algebra } from "./operators/row.ts";
import { binaryNames, unaryNames, type ReduceOp } from "./ops.ts";

/** Every operator, as the node of its name. */
export const nodes: Algebra<Node> = {
  ...Object.fromEntries(unaryNames.map((op) => [op, (x: Node) => unary(op, x)])),
  ...Object.fromEntries(binaryNames.map((op) => [op, (a: Node, b: Node) => binary(op, a, b)])),
  constant: (value: number) => constant(value),
  select,
} as Algebra<Node>;

const reduction =
  (op: ReduceOp) =>
  (axis: Axis, x: Node): Node =>
    reduce(op, axis, x);
/** The reductions, likewise. */
export const reductions: Readonly<Record<ReduceOp, (axis: Axis, x: Node) => Node>> = {
  sum: reduction("sum"),
  max: reduction("max"),
  logSumExp: reduction("logSumExp"),
};

export const zero: Node = constant(0);
export const one: Node = constant(1);
