// The meaning of each kind of node, in float64: what it is in an environment, given what its arguments are there. This file and
// the rows of the operators (core/operators) are the definition that every other engine is checked against, so they are as
// plain as they can be. Two remarks: a product with a factor 0 is 0 whatever the other factor is
// (docs/notes/0002-zero-times-infinity.md), and a sum over an axis that its operand does not have still runs over that axis.

import type { Batch, Params } from "../batch/batch.ts";
import { parameterValue } from "../batch/params.ts";
import { describeAxis } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import type { At, Node, Reduce, Sort } from "../core/node.ts";
import { binaryOps, reduceOps, sortOps, unaryOps } from "../core/ops.ts";
import { readInput } from "./inputs.ts";
import { fieldOf, rangeOf, reader, tabulate, type Environment } from "./tensor.ts";

/** A value in each environment. */
export type Read = (place: Environment) => number;

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

/**
 * log Σ e^x in two parts, the maximum and the logarithm of what the others add to it, so that it neither overflows nor loses
 * the digits of either: log π = (z − max) − rest keeps them where the sum of both parts is the maximum.
 */
export interface Parts {
  readonly top: Read;
  readonly rest: Read;
}

/** log Σ e^(x − max), where one term is 1 exactly. */
function restOf(values: Float64Array, top: number): number {
  if (!Number.isFinite(top)) return 0;
  let [others, tops] = [0, 0];
  for (const x of values) {
    if (x === top) tops++;
    else others += Math.exp(x - top);
  }
  return Math.log1p(tops - 1 + others);
}

function reduction(node: Reduce, operand: Read, batch: Batch, split: Setting["split"]): Read {
  const { op } = node;
  const values = terms(node, operand, batch);
  if (op !== "logSumExp") return (place) => fold(op, values(place));
  const made = parts(node, operand, batch);
  split.set(node, made);
  return (place) => made.top(place) + made.rest(place);
}

/** Both parts of a log-sum-exp, each listed once. */
function parts(node: Reduce, operand: Read, batch: Batch): Parts {
  const values = terms(node, operand, batch);
  const top = reader(
    tabulate(node.axes, batch, (place) => fold("max", values(place))),
    batch,
  );
  const rest = tabulate(node.axes, batch, (place) => restOf(values(place), top(place)));
  return { top, rest: reader(rest, batch) };
}

/** a − b, where either side may be a log-sum-exp in two parts. */
function difference(a: Read, b: Read, left: Parts | undefined, right: Parts | undefined): Read {
  if (right !== undefined) return (place) => a(place) - right.top(place) - right.rest(place);
  if (left !== undefined) return (place) => left.top(place) - b(place) + left.rest(place);
  return (place) => a(place) - b(place);
}

const halves = (
  [a, b]: readonly [Node, Node],
  split: Setting["split"],
): [Parts | undefined, Parts | undefined] => [split.get(a), split.get(b)];

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

/** What an expression is evaluated in. */
export interface Setting {
  readonly batch: Batch;
  readonly params: Params;
  /** The parts of every log-sum-exp so far. */
  readonly split: Map<Node, Parts>;
}

/** What a node is in each environment, given what its arguments are. */
export function denote(node: Node, args: readonly Read[], { batch, params, split }: Setting): Read {
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
      if (node.op === "minus") return difference(a, b, ...halves(node.args, split));
      const apply = binaryOps[node.op].reference;
      return (place) => apply(a(place), b(place));
    }
    case "select":
      return (place) => (a(place) !== 0 ? b(place) : c(place));
    case "reduce":
      return reduction(node, a, batch, split);
    case "at":
      return substitution(node, a, b, batch);
    case "sort":
      return permutation(node, a, batch);
    case "stop":
      return a;
  }
}
