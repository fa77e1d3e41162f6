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
import {
  listed,
  partsOf,
  sumOf,
  total,
  whole,
  type Parts,
  type Read,
  type Split,
} from "./apart.ts";
import { readInput } from "./inputs.ts";
import { fieldOf, rangeOf, reader, tabulate, type Environment } from "./tensor.ts";

type Terms = (place: Environment) => Float64Array;

/** The terms of a reduction in one environment, in order. */
function terms(node: Reduce, operand: Read, batch: Batch): Terms {
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

function reduction(node: Reduce, operand: Read, batch: Batch, split: Split): Read {
  const { op } = node;
  const own = split.others.get(node.args[0]);
  if (op === "logSumExp") {
    const made = twoParts(node, operand, batch);
    split.logSumExps.set(node, made);
    return whole(made);
  }
  if (op === "sum" && own !== undefined) {
    const made = summed(node, own, batch);
    split.others.set(node, made);
    return whole(made);
  }
  const values = terms(node, operand, batch);
  return (place) => fold(op, values(place));
}

/** A sum of values in two parts. */
function summed(node: Reduce, { top, rest }: Parts, batch: Batch): Parts {
  const [tops, rests] = [top, rest].map((part) => terms(node, part, batch)) as [Terms, Terms];
  const part =
    (which: 0 | 1): Read =>
    (place) =>
      total(tops(place), rests(place))[which];
  return listed(node, batch, { top: part(0), rest: part(1) });
}

/** Both parts of a log-sum-exp, each listed once, so that it neither overflows nor loses the digits of either (apart.ts). */
function twoParts(node: Reduce, operand: Read, batch: Batch): Parts {
  const values = terms(node, operand, batch);
  const top = reader(
    tabulate(node.axes, batch, (place) => fold("max", values(place))),
    batch,
  );
  const rest = tabulate(node.axes, batch, (place) => restOf(values(place), top(place)));
  return { top, rest: reader(rest, batch) };
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

/** What an expression is evaluated in. */
export interface Setting {
  readonly batch: Batch;
  readonly params: Params;
  readonly split: Split;
}

/** What a node is in each environment, given what its arguments are. */
export function denote(node: Node, args: readonly Read[], { batch, params, split }: Setting): Read {
  const [a, b, c] = args as readonly [Read, Read, Read];
  const parts = partsOf(node, args, split);
  if (parts !== undefined) split.others.set(node, listed(node, batch, parts));
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
      const sum = node.op === "plus" || node.op === "minus" ? sumOf(node, args, split) : undefined;
      if (sum !== undefined) return whole(sum);
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
