// Running error analysis: an interpreter that carries, beside each value in float64, a bound on how far a computation in
// floats may be from it. Errors of operands are passed on by what the operation does to them at these very values, so the
// bound knows the conditioning of the program on the batch at hand; each operation adds its own rounding (rounding.ts). A
// decision that errors could turn (a comparison of values that are too close) lets both outcomes count.
// Source: Wilkinson 1963, Rounding Errors in Algebraic Processes; Higham 2002, section 3.3.
import type { Batch, Params } from "../../src/batch/batch.ts";
import { topological, type At, type Node, type Reduce, type Sort } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import {
  fieldOf,
  rangeOf,
  reader,
  tabulate,
  type Environment,
  type Tensor,
} from "../../src/reference/tensor.ts";
import {
  binaryReadError,
  unaryReadError,
  unaryRounding,
  type Operand,
  type Read,
} from "./running-elementwise.ts";
import { flushed, rounded, unit, type Precision } from "./rounding.ts";

/** A value and how far a float may be from it, entry by entry. Of bools and integers, 1 means that they are not sure. */
export interface Bounded {
  readonly value: Tensor;
  readonly error: Tensor;
}

const isAlongVocabulary = (node: Node): boolean =>
  node.axes.includes("vocab") || (node.tag === "reduce" && node.axis === "vocab");

/** The environments over which a reduction or a substitution ranges, in order. */
function places(
  node: Reduce | At,
  batch: Batch,
): (place: Environment, visit: (inner: Environment) => void) => void {
  const field = fieldOf(node.axis);
  const mentioned = node.args[0].axes.includes(node.axis);
  return (place, visit) => {
    const [from, to] = rangeOf(node.axis, place, batch);
    const inner = { ...place };
    for (let index = from; index < to; index++) {
      if (mentioned) inner[field] = index;
      visit(inner);
    }
  };
}

function reduceError(
  node: Reduce,
  precision: Precision,
  a: Operand,
  value: Read,
  batch: Batch,
): Read {
  const each = places(node, batch);
  return (place) => {
    const result = value(place);
    let [errors, largest, size, exponents, terms] = [0, 0, 0, 0, 0];
    each(place, (inner) => {
      const [x, e] = [a.value(inner), a.error(inner)];
      terms++;
      errors += e;
      largest = Math.max(largest, e);
      if (Number.isFinite(x)) size += Math.abs(x);
      if (node.op !== "logSumExp" || x === -Infinity) return;
      const weight = Math.exp(x - result);
      exponents += weight * unaryRounding("exp", precision, x - result, 1);
    });
    if (node.op === "max") return largest;
    if (node.op === "sum") return errors + terms * (unit[precision] * size + flushed);
    const total = precision === "single" ? terms * unit.single + 2 ** -21 : 2 ** -29;
    return largest + exponents + total + 2 * unit[precision] * Math.abs(result);
  };
}

/** Where the index is not sure, any entry may be meant. */
function atError(node: At, body: Operand, index: Operand, value: Read, batch: Batch): Read {
  const each = places(node, batch);
  const field = fieldOf(node.axis);
  const mentioned = node.args[0].axes.includes(node.axis);
  return (place) => {
    if (!mentioned) return body.error(place);
    if (index.error(place) === 0) {
      const [from] = rangeOf(node.axis, place, batch);
      return body.error({ ...place, [field]: from + index.value(place) });
    }
    let off = 0;
    each(place, (inner) => {
      off = Math.max(off, Math.abs(body.value(inner) - value(place)) + body.error(inner));
    });
    return node.dtype === "f32" ? off : Math.min(off, 1);
  };
}

/** A permutation is sure unless two values are too close to tell their order. */
function sortError(_node: Sort, a: Operand, batch: Batch): Read {
  const all = Array.from({ length: batch.examples }, (_, example): readonly [number, number] => {
    const place = { batch: example, response: 0, other: 0, token: 0, vocab: 0 };
    return [a.value(place), a.error(place)];
  });
  const unsure = all.some(([x, e], i) =>
    all.some(([y, f], j) => j > i && e + f > 0 && Math.abs(x - y) <= e + f),
  );
  return () => Number(unsure);
}

function errorOf(node: Node, args: readonly Operand[], value: Read, batch: Batch): Read {
  const precision: Precision = isAlongVocabulary(node) ? "single" : "pair";
  const [a, b, c] = args as readonly [Operand, Operand, Operand];
  switch (node.tag) {
    case "const":
    case "param":
      return (place) => 2 ** -47 * Math.abs(value(place));
    case "input":
    case "iota":
    case "count":
      return () => 0;
    case "unary":
      return unaryReadError(node.op, precision, a);
    case "binary":
      return binaryReadError(node, precision, a, b);
    case "select":
      return (place) => {
        const chosen = a.value(place) === 0 ? c.error(place) : b.error(place);
        if (a.error(place) === 0) return chosen;
        const apart = Math.abs(b.value(place) - c.value(place));
        return apart + Math.max(b.error(place), c.error(place));
      };
    case "reduce":
      return reduceError(node, precision, a, value, batch);
    case "at":
      return atError(node, a, b, value, batch);
    case "sort":
      return sortError(node, a, batch);
    case "stop":
      return a.error;
  }
}

/** The operand as its user reads it: along the vocabulary, what does not depend on the entry has become a single float. */
const operandOf = (
  arg: Node,
  user: Node,
  known: ReadonlyMap<Node, Bounded>,
  batch: Batch,
): Operand => {
  const { value, error } = known.get(arg)!;
  const [read, off] = [reader(value, batch), reader(error, batch)];
  const narrowed = arg.dtype === "f32" && isAlongVocabulary(user) && !arg.axes.includes("vocab");
  if (!narrowed) return { value: read, error: off };
  return { value: read, error: (place) => off(place) + rounded * Math.abs(read(place)) };
};

/**
 * Every node below the roots with its bound.
 * @throws PrefcError "undefined-value" where a node is not a number, and what `evaluate` throws
 */
export function runningErrors(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
): ReadonlyMap<Node, Bounded> {
  const order = topological(roots);
  const values = evaluate(order, batch, params);
  const known = new Map<Node, Bounded>();
  order.forEach((node, position) => {
    const value = values[position]!;
    const args = node.args.map((arg) => operandOf(arg, node, known, batch));
    const error = tabulate(node.axes, batch, errorOf(node, args, reader(value, batch), batch));
    // what is nowhere near a number bounds nothing
    error.data.forEach((e, entry) => Number.isNaN(e) && (error.data[entry] = Infinity));
    known.set(node, { value, error });
  });
  return known;
}
