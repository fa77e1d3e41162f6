// How complaints of the interpreter name a term, the space that it is over, and a place in it.

import type { Batch } from "../batch/batch.ts";
import {
  describeAxis,
  isList,
  isOtherAxis,
  isResponseAxis,
  isTokenAxis,
  responseOf,
  type Axis,
} from "../core/axis.ts";
import { printExpression } from "../core/infix.ts";
import type { Node } from "../core/node.ts";
import { offsetsOf, type Tensor } from "./tensor.ts";

export function describeTerm(node: Node): string {
  if (node.tag === "binary" && node.op === "over") {
    return `"over" with the divisor ${printExpression(node.args[1], 8)}`;
  }
  return `"${"op" in node ? node.op : node.tag}"`;
}

export function describeSpace(axes: readonly Axis[]): string {
  return axes.length === 0 ? "a scalar" : `over ${axes.map(describeAxis).join(", ")}`;
}

export function describePlace(tensor: Tensor, position: number, batch: Batch): string {
  const row = tensor.axes.includes("vocab")
    ? Math.floor(position / (tensor.vocab ?? batch.vocab))
    : position;
  const token = tensor.axes.find(isTokenAxis);
  if (token !== undefined) {
    const offsets = offsetsOf(token, batch);
    const example = offsets.findLastIndex((start) => start <= row);
    const owner = isList(responseOf(token)) ? "response" : "example";
    return `${owner} ${example}, token ${row - offsets[example]!} of ${describeAxis(token)}`;
  }
  const response = tensor.axes.find((axis) => isResponseAxis(axis) || isOtherAxis(axis));
  if (response !== undefined) return `row ${row} of ${describeAxis(response)}`;
  return tensor.axes.includes("batch") ? `example ${row}` : "the only place it has";
}
