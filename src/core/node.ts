// The core calculus: an expression is a function of named index variables, and a node is one immutable,
// hash-consed term of it. Everything above (surface language, gradient, streams, kernels) is built from
// these dozen tags; what an operator means is in ops.ts, how nodes are made and shared is in build.ts.

import type { Axis } from "./axis.ts";
import type { Datum } from "./datum.ts";
import type { NumberRange } from "./range.ts";
import type { BinaryOp, ReduceOp, SortOp, UnaryOp } from "./ops.ts";

export type DType = "f32" | "i32" | "bool";

interface Common {
  /** Position in the order of creation: arguments always have smaller ids. */
  readonly id: number;
  /** The index variables the value depends on, in canonical order. */
  readonly axes: readonly Axis[];
  readonly dtype: DType;
  readonly args: readonly Node[];
}

/** A number known when the objective is written. */
export interface Const extends Common {
  readonly tag: "const";
  readonly value: number;
}
/**
 * A run-time scalar. A "param" is a hyper-parameter with an optional default; a "state" is what one step of training
 * leaves for the next, with the value that the first step finds.
 */
export interface Param extends Common {
  readonly tag: "param";
  readonly kind: "param" | "state";
  readonly name: string;
  readonly initial: number | undefined;
  /** What its value may be; any finite number where no bound is named. */
  readonly range: NumberRange;
  /** Whether the gradient is taken with respect to it. */
  readonly learned: boolean;
}
/** Data of the batch; `name` spells the datum, for example `policy.logits.w`. */
export interface Input extends Common {
  readonly tag: "input";
  readonly datum: Datum;
  readonly name: string;
  /** Whether the gradient is taken with respect to it although it is data of the user's own. */
  readonly learned: boolean;
}
/** The index variable itself, counted from zero. */
export interface Iota extends Common {
  readonly tag: "iota";
  readonly axis: Axis;
}
/** The extent of an axis, as a real number. */
export interface Count extends Common {
  readonly tag: "count";
  readonly axis: Axis;
}
export interface Unary extends Common {
  readonly tag: "unary";
  readonly op: UnaryOp;
  readonly args: readonly [Node];
}
export interface Binary extends Common {
  readonly tag: "binary";
  readonly op: BinaryOp;
  readonly args: readonly [Node, Node];
}
/** `condition ? whenTrue : whenFalse`, with both sides defined. */
export interface Select extends Common {
  readonly tag: "select";
  readonly args: readonly [Node, Node, Node];
}
/** Binds one index variable of its operand. */
export interface Reduce extends Common {
  readonly tag: "reduce";
  readonly op: ReduceOp;
  readonly axis: Axis;
  readonly args: readonly [Node];
}
/** Substitution `body[axis := index]`. */
export interface At extends Common {
  readonly tag: "at";
  readonly axis: Axis;
  readonly args: readonly [Node, Node];
}
/**
 * The stable ascending order of a value per example, as a permutation of the batch. "order" is the example that comes
 * i-th, "rank" the position at which example i comes; the two are inverse to each other, and ties keep their order.
 */
export interface Sort extends Common {
  readonly tag: "sort";
  readonly op: SortOp;
  readonly axis: "batch";
  readonly args: readonly [Node];
}
/** The identity, with derivative zero. */
export interface Stop extends Common {
  readonly tag: "stop";
  readonly args: readonly [Node];
}

export type Node =
  | Const
  | Param
  | Input
  | Iota
  | Count
  | Unary
  | Binary
  | Select
  | Reduce
  | At
  | Sort
  | Stop;

/** All nodes below the roots, arguments before users; iterative, so depth is no limit. */
export function topological(roots: readonly Node[]): readonly Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (done.has(top.node)) {
        stack.pop();
        continue;
      }
      const child = top.node.args[top.next++];
      if (child !== undefined) {
        if (!done.has(child)) stack.push({ node: child, next: 0 });
      } else {
        done.add(top.node);
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}
