// Makes core nodes, which are interned (intern.ts). The few rules that make a term well formed (axes, dtypes) are checked here,
// for every caller.

import { checkAxes, describeAxis, extentAxes, kindOf, unionAxes, type Axis } from "./axis.ts";
import { datumNamed, nameOfDatum, type Datum } from "./datum.ts";
import { fail } from "./error.ts";
import { intern } from "./intern.ts";
import type { DType, Node } from "./node.ts";
import {
  binaryOps,
  unaryOps,
  type BinaryOp,
  type ReduceOp,
  type SortOp,
  type UnaryOp,
} from "./ops.ts";
import { cite } from "./quote.ts";
import { inPlaceOf } from "./words.ts";

export { param, state } from "./scalars.ts";

const spell = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

export function constant(value: number, dtype: DType = "f32"): Node {
  if (Number.isNaN(value))
    fail("constant-not-a-number", "constant: NaN is not a value; write a finite number.");
  if (!Number.isFinite(value)) {
    fail("constant-not-finite", `constant: ${value} is not finite; write a finite number.`);
  }
  return intern(`${dtype}:${spell(value)}`, { tag: "const", value, dtype, axes: [], args: [] });
}

/** Data of a batch, by what it is or by the name that spells it; `learned` where it has a gradient by declaration. */
export function input(
  of: Datum | string,
  axes: readonly Axis[],
  dtype: DType = "f32",
  learned: boolean = false,
): Node {
  const space = unionAxes(axes);
  const datum = typeof of === "string" ? datumNamed(of, space) : of;
  const name = nameOfDatum(datum);
  checkAxes(space, `input ${cite(name)}`);
  return intern(JSON.stringify([datum.kind, name, dtype, space, learned]), {
    tag: "input",
    datum: Object.freeze({ ...datum }),
    name,
    learned,
    dtype,
    axes: space,
    args: [],
  });
}

export function iota(axis: Axis): Node {
  return intern(axis, { tag: "iota", axis, dtype: "i32", axes: unionAxes([axis]), args: [] });
}

export function count(axis: Axis): Node {
  return intern(axis, {
    tag: "count",
    axis,
    dtype: "f32",
    axes: unionAxes(extentAxes(axis)),
    args: [],
  });
}

export function unary(op: UnaryOp, x: Node): Node {
  const row = unaryOps[op];
  if (!row.from.includes(x.dtype)) {
    fail(
      "dtype-mismatch",
      `${op}: the operand is ${x.dtype}, but ${op} takes ${row.from.join(" or ")}.`,
    );
  }
  return intern(op, { tag: "unary", op, dtype: row.to, axes: x.axes, args: [x] });
}

export function binary(op: BinaryOp, a: Node, b: Node): Node {
  const row = binaryOps[op];
  if (a.dtype !== b.dtype || !row.from.includes(a.dtype)) {
    fail(
      "dtype-mismatch",
      `${op}: the operands are ${a.dtype} and ${b.dtype}, but ${op} takes two of ${row.from.join(" or ")}.`,
    );
  }
  const axes = unionAxes(a.axes, b.axes);
  checkAxes(axes, op);
  return intern(op, { tag: "binary", op, dtype: row.to ?? a.dtype, axes, args: [a, b] });
}

export function select(condition: Node, whenTrue: Node, whenFalse: Node): Node {
  if (condition.dtype !== "bool") {
    fail(
      "dtype-mismatch",
      `where: the condition is ${condition.dtype}, but it must be bool; compare it with something first.`,
    );
  }
  if (whenTrue.dtype !== whenFalse.dtype) {
    fail(
      "dtype-mismatch",
      `where: the branches are ${whenTrue.dtype} and ${whenFalse.dtype}; both must have one type.`,
    );
  }
  const axes = unionAxes(condition.axes, whenTrue.axes, whenFalse.axes);
  checkAxes(axes, "where");
  return intern("", {
    tag: "select",
    dtype: whenTrue.dtype,
    axes,
    args: [condition, whenTrue, whenFalse],
  });
}

/** Fails where an axis is to be bound on which the extent of another one depends. */
function checkRagged(op: string, axis: Axis, x: Node): void {
  const needing = x.axes.findLast((other) => extentAxes(other).includes(axis));
  if (needing === undefined) return;
  const kind = kindOf(needing);
  fail(
    "ragged-order",
    `${op}("${axis}", …): the operand still ranges over ${kind}s; reduce the ${kind} axis first.`,
  );
}

/** Binds `axis`. An operand that does not mention the axis is still a function of it. */
export function reduce(op: ReduceOp, axis: Axis, x: Node): Node {
  if (x.dtype !== "f32")
    fail("dtype-mismatch", `${op}: the operand is ${x.dtype}, but a reduction takes f32.`);
  const rest = x.axes.filter((other) => other !== axis);
  checkRagged(op, axis, x);
  const axes = unionAxes(rest, extentAxes(axis));
  checkAxes(axes, op);
  return intern(`${op}:${axis}`, { tag: "reduce", op, axis, dtype: "f32", axes, args: [x] });
}

export function at(body: Node, axis: Axis, index: Node): Node {
  if (index.dtype !== "i32")
    fail("dtype-mismatch", `at: the index is ${index.dtype}, but it must be i32.`);
  checkRagged("at", axis, body);
  const axes = unionAxes(
    body.axes.filter((other) => other !== axis),
    index.axes,
  );
  checkAxes(axes, "at");
  return intern(axis, { tag: "at", axis, dtype: body.dtype, axes, args: [body, index] });
}

/** Binds nothing: the result ranges over the batch, whatever the operand, which must be a value per example. */
export function sort(op: SortOp, axis: Axis, x: Node): Node {
  if (x.dtype !== "f32")
    fail("dtype-mismatch", `${op}: the operand is ${x.dtype}, but it must be f32.`);
  if (axis !== "batch") {
    return fail(
      "sort-axis",
      `${op}: only the batch has an order, but the axis is ${describeAxis(axis)}; sort along "batch".`,
    );
  }
  const other = x.axes.find((one) => one !== "batch");
  if (other !== undefined) {
    fail(
      "sort-axis",
      `${op}: the operand still ranges over ${describeAxis(other)}; reduce it to one number per example first.`,
    );
  }
  return intern(op, { tag: "sort", op, axis, dtype: "i32", axes: ["batch"], args: [x] });
}

export function stop(x: Node): Node {
  return intern("", { tag: "stop", dtype: x.dtype, axes: x.axes, args: [x] });
}

/** The same node over other arguments; returns the node itself when nothing changed. */
export function withArgs(node: Node, args: readonly Node[]): Node {
  if (args.every((arg, position) => arg === node.args[position])) return node;
  const [a, b, c] = args as readonly [Node, Node, Node];
  switch (node.tag) {
    case "unary":
      return unary(node.op, a);
    case "binary":
      return binary(node.op, a, b);
    case "select":
      return select(a, b, c);
    case "reduce":
      return reduce(node.op, node.axis, a);
    case "at":
      return at(a, node.axis, b);
    case "sort":
      return sort(node.op, node.axis, a);
    case "stop":
      return stop(a);
    case "const":
    case "param":
    case "input":
    case "iota":
    case "count":
      return node;
  }
}

/** Rebuilds the expressions below the roots bottom-up, replacing a node wherever `change` returns another. */
export function substitute(
  roots: readonly Node[],
  change: (rebuilt: Node, original: Node) => Node,
  order: readonly Node[],
): readonly Node[] {
  const made = new Map<Node, Node>();
  for (const node of order) {
    const args = node.args.map((arg) => made.get(arg)!);
    made.set(node, inPlaceOf(node, change(withArgs(node, args), node)));
  }
  return roots.map((root) => made.get(root)!);
}
