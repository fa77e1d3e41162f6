// Keeps random programs well defined by construction: a term is admitted when, on the scene's own batch, every value is finite and
// of moderate size, every operand lies well inside the domain of its operator, and every decision (a comparison, a kink, an
// order, a maximum) is clear by a margin. Central differences then never step over a kink, and floats decide as the
// interpreter does. Source of the idea: NNSmith (Liu et al. 2023, arXiv 2207.13066), which searches inputs instead.
import type { Batch, Params } from "../../src/batch/batch.ts";
import { PrefcError } from "../../src/core/error.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { binaryOps, unaryOps } from "../../src/core/ops.ts";
import { isWithin } from "../../src/core/operators/row.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { boundRootsOf, rootsOf, type Case } from "./case.ts";
import { expand, fieldOf, offsetsOf, type Tensor } from "../../src/reference/tensor.ts";
import { isTokenAxis, unionAxes, type Axis } from "../../src/core/axis.ts";

/** How clear a decision has to be: a thousand steps of the central differences. */
export const margin = 2e-3;
const largest = 300;
/** Nearer to the end of its domain an operator bends too sharply for differences. */
const least = 0.1;

type Values = ReadonlyMap<Node, Tensor>;

const all = (tensor: Tensor, holds: (x: number) => boolean): boolean => tensor.data.every(holds);

/** |a − b| of two operands, wherever they meet. */
function gaps(a: Tensor, b: Tensor, batch: Batch): Float64Array {
  const axes = unionAxes(a.axes, b.axes);
  const [x, y] = [expand(a, axes, batch).data, expand(b, axes, batch).data];
  return x.map((value, entry) => Math.abs(value - y[entry]!));
}

/** The values along one axis, a list for each environment of the others. */
function alongAxis(tensor: Tensor, axis: Axis, batch: Batch): readonly Float64Array[] {
  const { data, axes } = tensor;
  if (!axes.includes(axis)) return [];
  const pieces: Float64Array[] = [];
  if (isTokenAxis(axis)) {
    const offsets = offsetsOf(axis, batch);
    const width = axes.includes("vocab") ? batch.vocab : 1;
    for (let example = 0; example < batch.examples; example++)
      for (let v = 0; v < width; v++) {
        const own = data.subarray(offsets[example]! * width, offsets[example + 1]! * width);
        pieces.push(own.filter((_, n) => n % width === v));
      }
    return pieces;
  }
  if (fieldOf(axis) === "vocab" || axes.length === 1) {
    const length = axis === "vocab" ? batch.vocab : batch.examples;
    for (let from = 0; from < data.length; from += length)
      pieces.push(data.subarray(from, from + length));
    return pieces;
  }
  const width = batch.vocab;
  return Array.from({ length: width }, (_, v) => data.filter((_, n) => n % width === v));
}

const clearTop = (values: Float64Array): boolean => {
  const sorted = values.toSorted();
  return sorted.length < 2 || sorted.at(-1)! - sorted.at(-2)! >= margin;
};
const clearOrder = (values: Float64Array): boolean => {
  const sorted = values.toSorted();
  return sorted.every((value, n) => n === 0 || value - sorted[n - 1]! >= margin);
};

/** Whether the operands of a node lie well inside its domain. */
function isInside(node: Node, values: Values, batch: Batch): boolean {
  const [a, b] = node.args.map((arg) => values.get(arg)!) as [Tensor, Tensor];
  switch (node.tag) {
    case "unary": {
      const { domain, kinks = [] } = unaryOps[node.op];
      return all(
        a,
        (x) => isWithin(domain, x, least) && kinks.every((kink) => Math.abs(x - kink) >= margin),
      );
    }
    case "binary": {
      const { domain, jumpsAtTies } = binaryOps[node.op];
      const [first, second] = node.args;
      if (
        !all(a, (x) => isWithin(domain[0], x, least)) ||
        !all(b, (x) => isWithin(domain[1], x, least))
      )
        return false;
      // of whole numbers, and of a term and itself, there is nothing to decide
      if (jumpsAtTies !== true || first.dtype !== "f32" || first === second) return true;
      // an exact tie is a tie for everybody; the largest entry is equal to itself
      return isOwnMaximum(node) || gaps(a, b, batch).every((gap) => gap >= margin);
    }
    case "reduce":
      return node.op !== "max" || alongAxis(a, node.axis, batch).every(clearTop);
    case "sort":
      return clearOrder(expand(a, ["batch"], batch).data);
    case "const":
    case "param":
    case "input":
    case "iota":
    case "count":
    case "select":
    case "at":
    case "stop":
      return true;
  }
}

const isOwnMaximum = (node: Node): boolean =>
  node.args.some(
    (arg, n) => arg.tag === "reduce" && arg.op === "max" && arg.args[0] === node.args[1 - n],
  );

/** What has been admitted on one batch, with its values. */
export interface Admitted {
  readonly values: Values;
  /** Whether a term and everything below it may be used; remembers what it finds. */
  readonly admit: (node: Node) => boolean;
}

export function admission(batch: Batch, params: Params): Admitted {
  const values = new Map<Node, Tensor>();
  const admit = (node: Node): boolean => {
    if (values.has(node)) return true;
    const fresh = topological([node]).filter((part) => !values.has(part));
    try {
      const made = evaluate(fresh, batch, params, values);
      const tried = new Map(values);
      fresh.forEach((part, position) => tried.set(part, made[position]!));
      for (const part of fresh) {
        const { data } = tried.get(part)!;
        const moderate = data.every((x) => Number.isFinite(x) && Math.abs(x) <= largest);
        if (!moderate || !isInside(part, tried, batch)) return false;
      }
      fresh.forEach((part) => values.set(part, tried.get(part)!));
      return true;
    } catch (error) {
      if (error instanceof PrefcError) return false;
      throw error;
    }
  };
  return { values, admit };
}

/** Whether a case is well defined as it is, also where models are bound above their logits. */
export function isWellDefined(one: Case): boolean {
  try {
    const { admit } = admission(one.batch, { ...one.params, ...one.state });
    return [...rootsOf(one), ...boundRootsOf(one)].every(admit);
  } catch (error) {
    if (error instanceof PrefcError) return false;
    throw error;
  }
}
