// An objective as a trainer computes it in single precision: the formula as it is written, operation by operation, each result
// rounded to f32. It is an honest emulation. Sums are pairwise, log_softmax takes the maximum out and subtracts it before the
// logarithm, and every function is rounded correctly, none of which is worse than what trainers run; only log(1 − e^x), which
// they write with log1p and exp, is computed so. Nothing is simplified, and no sum is kept in higher precision.
import { readInput } from "../../src/reference/inputs.ts";
import {
  fieldOf,
  rangeOf,
  reader,
  tabulate,
  type Environment,
  type Tensor,
} from "../../src/reference/tensor.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { parameterValue } from "../../src/batch/params.ts";
import { topological, type Node, type Reduce } from "../../src/core/node.ts";
import { binaryOps, sortOps, unaryOps } from "../../src/core/ops.ts";

const f32 = Math.fround;
type Read = (place: Environment) => number;

/** A sum as vectorised code makes it: halves are added up apart. */
function pairwise(values: Float64Array, from = 0, to = values.length): number {
  if (to - from <= 8) {
    let sum = 0;
    for (let i = from; i < to; i++) sum = f32(sum + values[i]!);
    return sum;
  }
  const half = from + Math.floor((to - from) / 2);
  return f32(pairwise(values, from, half) + pairwise(values, half, to));
}

const largest = (values: Float64Array): number =>
  values.reduce((a, b) => Math.max(a, b), -Infinity);

/** The maximum of the terms, and the logarithm of the sum of their exponentials about it. */
function shifted(values: Float64Array): readonly [top: number, log: number] {
  const top = largest(values);
  return [top, f32(Math.log(pairwise(values.map((x) => f32(Math.exp(f32(x - top)))))))];
}

function terms(node: Reduce, operand: Read, batch: Batch): (place: Environment) => Float64Array {
  const field = fieldOf(node.axis);
  return (place) => {
    const [from, to] = rangeOf(node.axis, place, batch);
    const inner = { ...place };
    return Float64Array.from({ length: to - from }, (_, n) => {
      inner[field] = from + n;
      return operand(inner);
    });
  };
}

/** x of x − logSumExp(x), which trainers write as log_softmax: it is computed as a whole. */
const softmaxed = (node: Node): Reduce | undefined => {
  if (node.tag !== "binary" || node.op !== "minus") return undefined;
  const [x, total] = node.args;
  return total.tag === "reduce" && total.op === "logSumExp" && total.args[0] === x
    ? total
    : undefined;
};

function denote(node: Node, args: readonly Read[], batch: Batch, params: Params): Read {
  const [a, b, c] = args as readonly [Read, Read, Read];
  switch (node.tag) {
    case "const":
      return () => f32(node.value);
    case "param": {
      const value = f32(parameterValue(node, params));
      return () => value;
    }
    case "input": {
      const read = reader(readInput(node, batch), batch);
      return (place) => f32(read(place));
    }
    case "iota":
      return (place) => place[fieldOf(node.axis)] - rangeOf(node.axis, place, batch)[0];
    case "count":
      return (place) => {
        const [from, to] = rangeOf(node.axis, place, batch);
        return to - from;
      };
    case "unary": {
      if (node.op === "log1mExp") return (place) => f32(Math.log1p(-f32(Math.exp(a(place)))));
      const { reference } = unaryOps[node.op];
      return (place) => f32(reference(a(place)));
    }
    case "binary": {
      const { reference } = binaryOps[node.op];
      return (place) => f32(reference(a(place), b(place)));
    }
    case "select":
      return (place) => (a(place) !== 0 ? b(place) : c(place));
    case "reduce": {
      const values = terms(node, a, batch);
      if (node.op === "sum") return (place) => pairwise(values(place));
      if (node.op === "max") return (place) => largest(values(place));
      return (place) => {
        const [top, log] = shifted(values(place));
        return f32(top + log);
      };
    }
    case "at":
      return (place) => {
        const [from] = rangeOf(node.axis, place, batch);
        return a({ ...place, [fieldOf(node.axis)]: from + b(place) });
      };
    case "sort":
      return (place) =>
        sortOps[node.op].reference(
          Array.from({ length: batch.examples }, (_, example) => a({ ...place, batch: example })),
        )[place.batch]!;
    case "stop":
      return a;
  }
}

/** log_softmax over its own space: the reduction is made once for each row. */
function logSoftmax(node: Node, total: Reduce, x: Read, batch: Batch): Tensor {
  const values = terms(total, x, batch);
  const tops = tabulate(total.axes, batch, (place) => shifted(values(place))[0]);
  const logs = tabulate(total.axes, batch, (place) => shifted(values(place))[1]);
  const [top, log] = [reader(tops, batch), reader(logs, batch)];
  return tabulate(node.axes, batch, (place) => f32(f32(x(place) - top(place)) - log(place)));
}

/** The values of the roots in single precision, each over its own axes; not a number where f32 overflows or has no value. */
export function naive(roots: readonly Node[], batch: Batch, params: Params): readonly Tensor[] {
  const tables = new Map<Node, Tensor>();
  const order = topological(roots);
  const last = new Map<Node, Node>();
  for (const node of order) for (const arg of node.args) last.set(arg, node);
  const kept = new Set(roots);
  for (const node of order) {
    const reads = node.args.map((arg) => reader(tables.get(arg)!, batch));
    const total = softmaxed(node);
    tables.set(
      node,
      total === undefined
        ? tabulate(node.axes, batch, denote(node, reads, batch, params))
        : logSoftmax(node, total, reads[0]!, batch),
    );
    for (const arg of node.args) if (last.get(arg) === node && !kept.has(arg)) tables.delete(arg);
  }
  return roots.map((root) => tables.get(root)!);
}
