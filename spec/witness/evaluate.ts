// The value of an expression with many digits, node by node as it is written. Where values lie (ragged rows, lists, prompts) is the
// interpreter's (src/reference/tensor.ts); what they are is the library's. Beside each value goes how far float64 may be from it when
// it computes the same formula: the errors of the operands carried through the operator, and a rounding of its own.

import type { Decimal } from "decimal.js";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { parameterValue } from "../../src/batch/params.ts";
import { widthsOf } from "../../src/batch/widths.ts";
import type { Axis } from "../../src/core/axis.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { binaryOps, sortOps, unaryOps } from "../../src/core/ops.ts";
import { readInput } from "../../src/reference/inputs.ts";
import {
  fieldOf,
  rangeOf,
  reader,
  tabulate,
  type Environment,
} from "../../src/reference/tensor.ts";
import { digits, type Digits } from "./digits.ts";

/** A value, and how far float64 may be from it; Infinity where a rounding decides which value it is. */
export interface Known {
  readonly value: Decimal;
  readonly error: number;
}
type Read = (place: Environment) => Known;

export interface Options {
  readonly digits?: number;
  /** Nodes whose values are given, as those under a stopped gradient are. */
  readonly held?: ReadonlyMap<Node, readonly Known[]>;
  /** One entry of an input, moved by a number that no float holds. */
  readonly moved?: { readonly input: Node; readonly position: number; readonly by: Decimal };
}

/** Half a unit of float64, with what its functions may be off. */
const unit = 2 ** -52;

/** Lists a function of the index variables, as `tabulate` does. */
function listed(axes: readonly Axis[], batch: Batch, at: Read): readonly Known[] {
  const values: Known[] = [];
  tabulate(axes, batch, (place) => {
    values.push(at(place));
    return 0;
  });
  return values;
}

/** Reads a list by the place that the interpreter would read. */
function readList(node: Node, values: readonly Known[], batch: Batch): Read {
  const data = Float64Array.from(values, (_, position) => position);
  const tensor = node.axes.includes("vocab")
    ? { axes: node.axes, data, vocab: batch.vocab }
    : { axes: node.axes, data };
  const position = reader(tensor, batch);
  return (place) => values[position(place)]!;
}

/** How far a function of floats moves when its operands are off by their errors. */
function carried(apply: (...x: number[]) => number, operands: readonly Known[]): number {
  const numbers = operands.map(({ value }) => value.toNumber());
  const middle = apply(...numbers);
  const moves = operands.map(({ error }, n) => {
    if (error === 0) return 0;
    if (!Number.isFinite(error)) return Infinity;
    // by what floats can tell apart at least, so that a move is not lost to rounding
    const by = Math.max(error, 8 * unit * Math.abs(numbers[n]!));
    const ends = [by, -by].map((move) => apply(...numbers.with(n, numbers[n]! + move)) - middle);
    return Math.max(...ends.map((end) => (Number.isNaN(end) ? Infinity : Math.abs(end))));
  });
  return moves.reduce((sum, move) => sum + move, 0);
}

const comparisons: ReadonlySet<string> = new Set(["gt", "ge", "lt", "le", "eq", "ne"]);

/** Whether both sides are one float where they are equal: a term and itself, or its maximum. */
const isOwnMaximum = ([a, b]: readonly [Node, Node]): boolean =>
  a === b || [[a, b] as const, [b, a] as const].some(([one, all]) => isMaximumOf(all, one));
const isMaximumOf = (all: Node, one: Node): boolean =>
  all === one || (all.tag === "reduce" && all.op === "max" && isMaximumOf(all.args[0], one));

const isApart = (a: Known, b: Known): boolean =>
  a.error + b.error === 0 || a.value.minus(b.value).abs().toNumber() > a.error + b.error;

function binary(node: Extract<Node, { tag: "binary" }>, a: Known, b: Known, k: Digits): Known {
  const value = k.binary[node.op](a.value, b.value);
  if (comparisons.has(node.op)) {
    const isSure = isApart(a, b) || (isOwnMaximum(node.args) && a.value.eq(b.value));
    return { value, error: isSure ? 0 : Infinity };
  }
  const own = Math.abs(value.toNumber()) * unit;
  // a sum is as wrong as its parts
  const moved =
    node.op === "plus" || node.op === "minus"
      ? a.error + b.error
      : carried(binaryOps[node.op].reference, [a, b]);
  const isExact = node.op === "minimum" || node.op === "maximum" || node.dtype !== "f32";
  return { value, error: moved + (isExact ? 0 : 2 * own + 5e-324) };
}

function unary(node: Extract<Node, { tag: "unary" }>, x: Known, k: Digits): Known {
  const value = k.unary[node.op](x.value);
  const isExact = node.dtype !== "f32" || ["toReal", "neg", "abs", "relu"].includes(node.op);
  const own = isExact ? 0 : 4 * unit * Math.abs(value.toNumber()) + 5e-324;
  return { value, error: carried(unaryOps[node.op].reference, [x]) + own };
}

/** A reduction of the terms in one environment. */
function reduction(op: "sum" | "max" | "logSumExp", terms: readonly Known[], k: Digits): Known {
  const values = terms.map(({ value }) => value);
  const most = (of: (one: Known) => number): number =>
    terms.reduce((m, one) => Math.max(m, of(one)), 0);
  if (op === "max") {
    const value = values.reduce((a, b) => (a.gte(b) ? a : b), k.of(-Infinity));
    return { value, error: most(({ error }) => error) };
  }
  if (op === "sum") {
    const sizes = terms.reduce((sum, one) => sum + Math.abs(one.value.toNumber()), 0);
    const errors = terms.reduce((sum, { error }) => sum + error, 0);
    return {
      value: values.reduce((a, b) => a.plus(b), k.of(0)),
      error: errors + terms.length * unit * sizes,
    };
  }
  const value = k.logSumExp(values);
  const own = (terms.length + Math.abs(value.toNumber())) * unit;
  return { value, error: most(({ error }) => (Number.isNaN(error) ? Infinity : error)) + own };
}

function denote(node: Node, args: readonly Read[], batch: Batch, params: Params, k: Digits): Read {
  const [a, b, c] = args as readonly [Read, Read, Read];
  const exact = (x: number): Known => ({ value: k.of(x), error: 0 });
  switch (node.tag) {
    case "const":
      return () => exact(node.value);
    case "param":
      return () => exact(parameterValue(node, params));
    case "input": {
      const position = reader(readInput(node, batch), batch);
      return (place) => exact(position(place));
    }
    case "iota":
      return (place) => exact(place[fieldOf(node.axis)] - rangeOf(node.axis, place, batch)[0]);
    case "count":
      return (place) => {
        const [from, to] = rangeOf(node.axis, place, batch);
        return exact(to - from);
      };
    case "unary":
      return (place) => unary(node, a(place), k);
    case "binary":
      return (place) => binary(node, a(place), b(place), k);
    case "select":
      return (place) => {
        const condition = a(place);
        const chosen = condition.value.isZero() ? c(place) : b(place);
        return condition.error === 0 ? chosen : { ...chosen, error: Infinity };
      };
    case "reduce": {
      const field = fieldOf(node.axis);
      return (place) => {
        const [from, to] = rangeOf(node.axis, place, batch);
        const inner = { ...place };
        const terms = Array.from({ length: to - from }, (_, n) => {
          if (node.args[0].axes.includes(node.axis)) inner[field] = from + n;
          return a(inner);
        });
        return reduction(node.op, terms, k);
      };
    }
    case "at": {
      const field = fieldOf(node.axis);
      return (place) => {
        const [from] = rangeOf(node.axis, place, batch);
        const target = from + b(place).value.toNumber();
        return a(node.args[0].axes.includes(node.axis) ? { ...place, [field]: target } : place);
      };
    }
    case "sort":
      return (place) => {
        const all = Array.from({ length: batch.examples }, (_, n) => a({ ...place, batch: n }));
        const { value } = exact(
          sortOps[node.op].reference(all.map((one) => one.value.toNumber()))[place.batch]!,
        );
        // values nearer than their errors may come in either order
        const isSure = all.every((one, n) =>
          all.every((other, m) => n === m || isApart(one, other)),
        );
        return { value, error: isSure ? 0 : Infinity };
      };
    case "stop":
      return a;
  }
}

/** What is under a stopped gradient, at the batch itself. */
export function stopped(root: Node, batch: Batch, params: Params): Options["held"] {
  const stops = topological([root]).filter(({ tag }) => tag === "stop");
  const values = witness(stops, batch, params);
  return new Map(stops.map((node, position) => [node, values[position]!]));
}

/** The values of the roots, each over its own axes. */
export function witness(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
  { digits: precision = 50, held = new Map(), moved }: Options = {},
): readonly (readonly Known[])[] {
  const k = digits(precision);
  const widths = widthsOf(roots, batch);
  const widest = Math.max(batch.vocab, ...(widths?.values() ?? []));
  const lists = new Map<Node, readonly Known[]>();
  const reads = new Map<Node, Read>();
  for (const node of topological(roots)) {
    const own = widths === null ? batch : { ...batch, vocab: widths.get(node) ?? widest };
    const args = node.args.map((arg) => reads.get(arg)!);
    const found = held.get(node) ?? listed(node.axes, own, denote(node, args, own, params, k));
    const values = found.map((one, position) =>
      node === moved?.input && position === moved.position
        ? { ...one, value: one.value.plus(moved.by) }
        : one,
    );
    lists.set(node, values);
    reads.set(node, readList(node, values, own));
  }
  return roots.map((root) => lists.get(root)!);
}
