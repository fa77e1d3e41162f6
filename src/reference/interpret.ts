// The meaning of an expression, in float64. This file is the definition that every other engine is checked
// against, so it is as plain as it can be: node by node, each listed over its own index space by a loop over
// all environments. Nothing is rewritten, fused or reordered; what an operator does is its row in core/operators.
// Two remarks: a product with a factor 0 is 0 whatever the other factor is (see docs/notes/0002-zero-times-infinity.md),
// and a sum over an axis that its operand does not have still runs over that axis.

import type { Batch, Params } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { parameterValue } from "../batch/params.ts";
import { checkValues } from "../batch/values.ts";
import { widthsOf } from "../batch/widths.ts";
import { describeAxis, isTokenAxis, type Axis } from "../core/axis.ts";
import { describe } from "../core/describe.ts";
import { fail } from "../core/error.ts";
import { isInterned } from "../core/intern.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type At, type Node, type Reduce, type Sort } from "../core/node.ts";
import { binaryOps, reduceOps, sortOps, unaryOps } from "../core/ops.ts";
import { readInput } from "./inputs.ts";
import {
  fieldOf,
  offsetsOf,
  rangeOf,
  reader,
  tabulate,
  type Environment,
  type Tensor,
} from "./tensor.ts";

type Read = (place: Environment) => number;

/** The terms of a reduction in one environment, in order. */
function terms(node: Reduce, operand: Read, batch: Batch): (place: Environment) => Float64Array {
  const field = fieldOf(node.axis);
  const mentioned = node.args[0].axes.includes(node.axis);
  return (place) => {
    const [from, to] = rangeOf(node.axis, place, batch);
    const inner = { ...place };
    const values = new Float64Array(to - from);
    for (let index = from; index < to; index++) {
      if (mentioned) inner[field] = index;
      values[index - from] = operand(inner);
    }
    return values;
  };
}

function fold(op: "sum" | "max", values: Float64Array): number {
  const { identity, combine } = reduceOps[op];
  let total = identity;
  for (const value of values) total = combine(total, value);
  return total;
}

/** log Σ e^x with the maximum taken out, so that it neither overflows nor loses the largest term. */
function logSumExp(values: Float64Array): number {
  const largest = fold("max", values);
  if (!Number.isFinite(largest)) return largest;
  return (
    largest +
    Math.log(
      fold(
        "sum",
        values.map((x) => Math.exp(x - largest)),
      ),
    )
  );
}

function reduction(node: Reduce, operand: Read, batch: Batch): Read {
  const { op } = node;
  const values = terms(node, operand, batch);
  return op === "logSumExp"
    ? (place) => logSumExp(values(place))
    : (place) => fold(op, values(place));
}

/** body[axis := index]; an index counts from zero within its example. */
function substitution(node: At, body: Read, index: Read, batch: Batch): Read {
  const field = fieldOf(node.axis);
  return (place) => {
    const [from, to] = rangeOf(node.axis, place, batch);
    const target = from + index(place);
    if (!(target >= from && target < to)) {
      fail(
        "index-out-of-range",
        `at: index ${target - from} is outside ${describeAxis(node.axis)}, which has ${to - from} entries here; keep the index from 0 to ${to - from - 1}.`,
      );
    }
    return node.args[0].axes.includes(node.axis)
      ? body({ ...place, [field]: target })
      : body(place);
  };
}

/** The permutation of the batch that puts the operand in order, worked out once. */
function permutation(node: Sort, operand: Read, batch: Batch): Read {
  let positions: readonly number[] | undefined;
  return (place) => {
    positions ??= sortOps[node.op].reference(
      Array.from({ length: batch.examples }, (_, example) => operand({ ...place, batch: example })),
    );
    return positions[place.batch]!;
  };
}

/** What a node is in each environment, given what its arguments are. */
function denote(node: Node, args: readonly Read[], batch: Batch, params: Params): Read {
  const [a, b, c] = args as readonly [Read, Read, Read];
  switch (node.tag) {
    case "const":
      return () => node.value;
    case "param": {
      const value = parameterValue(node, params);
      return () => value;
    }
    case "input":
      return reader(readInput(node, batch), batch);
    case "iota":
      return (place) => place[fieldOf(node.axis)] - rangeOf(node.axis, place, batch)[0];
    case "count":
      return (place) => {
        const [from, to] = rangeOf(node.axis, place, batch);
        return to - from;
      };
    case "unary": {
      const { reference } = unaryOps[node.op];
      return (place) => reference(a(place));
    }
    case "binary": {
      const apply = binaryOps[node.op].reference;
      return (place) => apply(a(place), b(place));
    }
    case "select":
      return (place) => (a(place) !== 0 ? b(place) : c(place));
    case "reduce":
      return reduction(node, a, batch);
    case "at":
      return substitution(node, a, b, batch);
    case "sort":
      return permutation(node, a, batch);
    case "stop":
      return a;
  }
}

/** Position in `order` of the last node that reads each node, so that its table can be dropped after it. */
function lastUses(order: readonly Node[]): ReadonlyMap<Node, number> {
  const last = new Map<Node, number>();
  order.forEach((node, position) => node.args.forEach((arg) => last.set(arg, position)));
  return last;
}

function describeTerm(node: Node): string {
  if (node.tag === "binary" && node.op === "over") {
    return `"over" with the divisor ${printExpression(node.args[1], 8)}`;
  }
  return `"${"op" in node ? node.op : node.tag}"`;
}

function describeSpace(axes: readonly Axis[]): string {
  return axes.length === 0 ? "a scalar" : `over ${axes.map(describeAxis).join(", ")}`;
}

function describePlace(tensor: Tensor, position: number, batch: Batch): string {
  const row = tensor.axes.includes("vocab")
    ? Math.floor(position / (tensor.vocab ?? batch.vocab))
    : position;
  const token = tensor.axes.find(isTokenAxis);
  if (token !== undefined) {
    const offsets = offsetsOf(token, batch);
    const example = offsets.findLastIndex((start) => start <= row);
    return `example ${example}, token ${row - offsets[example]!} of ${describeAxis(token)}`;
  }
  return tensor.axes.includes("batch") ? `example ${row}` : "the only place it has";
}

/** @throws PrefcError not-a-node */
export function requireNodes(where: string, roots: unknown): void {
  const isNode = (value: unknown): boolean =>
    typeof value === "object" && value !== null && isInterned(value as Node);
  const wrong = Array.isArray(roots) ? roots.find((root) => !isNode(root)) : roots;
  if (Array.isArray(roots) && roots.every(isNode)) return;
  const isExpression = typeof wrong === "object" && wrong !== null && "node" in wrong;
  const what = isNode(wrong) ? "a node" : describe(wrong, "an object that is no node");
  const advice = isExpression
    ? "give its node, as in [x.node]"
    : "give a list of nodes, such as [objective.loss]";
  fail(
    "not-a-node",
    `${where}: ${Array.isArray(roots) ? "a root is" : "the roots are"} ${what}; ${advice}.`,
  );
}

/**
 * The values of the roots, each over its own axes. `held` gives some nodes a value instead of computing it.
 * @throws PrefcError for a batch or parameters that do not fit, and "undefined-value" if a root is not a number.
 */
export function evaluate(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor> = new Map(),
): readonly Tensor[] {
  requireNodes("evaluate", roots);
  checkBatch(batch, roots);
  checkValues(batch, roots);
  const order = topological(roots);
  const last = lastUses(order);
  const kept = new Set(roots);
  const tables = new Map<Node, Tensor>();
  let suspect: Node | undefined;

  const widths = widthsOf(roots, batch);
  // what is made of no logits may be read beside any of them
  const widest = Math.max(batch.vocab, ...(widths?.values() ?? []));
  const seenBy = (node: Node): Batch =>
    widths === null ? batch : { ...batch, vocab: widths.get(node) ?? widest };

  order.forEach((node, position) => {
    const reads = node.args.map((arg) => reader(tables.get(arg)!, batch));
    const own = seenBy(node);
    const table = held.get(node) ?? tabulate(node.axes, own, denote(node, reads, own, params));
    if (suspect === undefined && table.data.some(Number.isNaN)) suspect = node;
    tables.set(node, table);
    for (const arg of node.args)
      if (last.get(arg) === position && !kept.has(arg)) tables.delete(arg);
  });

  return roots.map((root) => {
    const table = tables.get(root)!;
    const position = table.data.findIndex(Number.isNaN);
    if (position >= 0) {
      const operator = suspect === undefined ? root : suspect;
      fail(
        "undefined-value",
        `evaluate: the value is not a number at ${describePlace(table, position, batch)}; the first undefined term is ` +
          `${describeTerm(operator)} (${describeSpace(operator.axes)}), so keep its operands inside its domain.`,
      );
    }
    return table;
  });
}
