// Where an expression may bend: each maximum, minimum, relu, absolute value, root, capped exponential, choice, maximum along an axis
// and order of the batch, as one value above the bend and another below it, with what decides between them.

import { constant, unary, binary } from "../core/build.ts";
import {
  topological,
  type Binary,
  type Node,
  type Reduce,
  type Select,
  type Sort,
} from "../core/node.ts";
import { nodes } from "../core/smart.ts";

/** How a bend is written. */
export type Spelling =
  | "maximum"
  | "minimum"
  | "relu"
  | "abs"
  | "sqrt"
  | "clamp"
  | "where"
  | "clampedExp"
  | "max"
  | "sort";

/** A place where an expression may bend: `above` where the gap is positive, `below` where it is negative. */
export interface Bend {
  readonly node: Node;
  readonly spelling: Spelling;
  /** What decides: the bend is where this is 0. */
  readonly gap: Node;
  readonly above: Node;
  readonly below: Node;
  /** The share of the slope of `above` that the derivative takes where the gap is 0; the rest is that of `below`. */
  readonly share: number;
  /** The comparison by which a choice is decided; null where the node itself decides. */
  readonly condition: Binary | null;
}

/** An order of the batch, or a maximum along an axis, where equal numbers compete. */
export interface Contest {
  readonly node: Sort | (Reduce & { readonly op: "max" });
  readonly spelling: Spelling;
}

const comparisons = ["gt", "ge", "lt", "le"];

/** Whether a choice is a bound: where(x < low, low, x), whichever way round. */
const isBound = ([condition, yes, no]: Select["args"]): boolean =>
  condition.tag === "binary" &&
  condition.args.some((arg) => arg === yes) &&
  condition.args.some((arg) => arg === no);

/** A choice bends at each comparison of reals that its condition is made of. */
function choices(node: Select): readonly Bend[] {
  const [condition, yes, no] = node.args;
  return topological([condition]).flatMap((part) => {
    if (part.tag !== "binary" || !comparisons.includes(part.op)) return [];
    const [a, b] = part.args;
    if (a.dtype !== "f32") return [];
    const isGreater = part.op === "gt" || part.op === "ge";
    const [above, below] = isGreater ? [yes, no] : [no, yes];
    const takesYes = part.op === "ge" || part.op === "le";
    return [
      {
        node,
        spelling: isBound(node.args) ? ("clamp" as const) : ("where" as const),
        gap: binary("minus", a, b),
        above,
        below,
        share: takesYes === isGreater ? 1 : 0,
        condition: part,
      },
    ];
  });
}

/** The bends of one node. */
export function bendsOf(node: Node): readonly Bend[] {
  if (node.tag === "select") return choices(node);
  if (node.tag === "unary" && (node.op === "relu" || node.op === "abs")) {
    const [x] = node.args;
    const isRelu = node.op === "relu";
    const below = isRelu ? constant(0) : unary("neg", x);
    const share = isRelu ? 0 : 0.5;
    return [{ node, spelling: node.op, gap: x, above: x, below, share, condition: null }];
  }
  if (node.tag === "unary" && node.op === "sqrt") {
    const [gap] = node.args;
    return [
      { node, spelling: "sqrt", gap, above: node, below: constant(0), share: 0, condition: null },
    ];
  }
  if (node.tag !== "binary") return [];
  const [a, b] = node.args;
  const gap = binary("minus", a, b);
  if (node.op === "maximum" || node.op === "minimum") {
    const [above, below] = node.op === "maximum" ? [a, b] : [b, a];
    return [{ node, spelling: node.op, gap, above, below, share: 0.5, condition: null }];
  }
  if (node.op !== "clampedExp") return [];
  const [above, below] = [nodes.exp(b), nodes.exp(a)];
  return [{ node, spelling: node.op, gap, above, below, share: 0, condition: null }];
}

/** Everything below the roots that is a decision, arguments before users. */
export interface Sites {
  readonly bends: readonly Bend[];
  readonly contests: readonly Contest[];
}

const isContest = (node: Node): node is Contest["node"] =>
  node.tag === "sort" || (node.tag === "reduce" && node.op === "max");

/** Where the roots may bend. Decisions that read none of `moving` are left out: they are the same however those move. */
export function sitesOf(roots: readonly Node[], moving: readonly Node[]): Sites {
  const order = topological(roots);
  const moved = new Set(moving);
  // what is under a stopped gradient moves as well, and a decision by it may turn
  for (const node of order) if (node.args.some((arg) => moved.has(arg))) moved.add(node);
  const moves = (node: Node): boolean => moved.has(node) || node.args.some((arg) => moved.has(arg));
  return {
    bends: order.flatMap(bendsOf).filter(({ gap }) => moves(gap)),
    contests: order
      .filter(isContest)
      .filter((node) => moves(node.args[0]))
      .map((node) => ({ node, spelling: node.tag === "sort" ? "sort" : "max" })),
  };
}
