// How errors of operands pass through the operations that act at every index alone, and what such an operation adds of its own:
// what its row promises or, where it is made of other operators, what follows from theirs.
import type { Binary } from "../../src/core/node.ts";
import type { Algebra } from "../../src/core/operators/row.ts";
import {
  binaryNames,
  binaryOps,
  unaryNames,
  unaryOps,
  type BinaryOp,
  type UnaryOp,
} from "../../src/core/ops.ts";
import type { Environment } from "../../src/reference/tensor.ts";
import type { Precision } from "./rounding.ts";

/** A number in each environment. */
export type Read = (place: Environment) => number;
/** A value and how far a float may be from it, of each environment. */
export interface Operand {
  readonly value: Read;
  readonly error: Read;
}
/** A value and how far a float may be from it; of bools and integers, 1 means that they are not sure. */
export interface Near {
  readonly value: number;
  readonly error: number;
}

/** How far f gets from its value when its operand moves by e either way; f is monotone on either side of x. */
function spread(f: (x: number) => number, x: number, e: number): number {
  if (e === 0) return 0;
  const y = f(x);
  const off = Math.max(Math.abs(f(x + e) - y), Math.abs(f(x - e) - y));
  return Number.isNaN(off) ? Infinity : off;
}

/** The error of an operation of one operand. */
export function unaryError(
  op: UnaryOp,
  precision: Precision,
  { value: x, error: e }: Near,
): number {
  const { from, reference } = unaryOps[op];
  if (!from.includes("f32")) return e;
  if (op === "sign") return e > 0 && Math.abs(x) <= e ? 2 : 0;
  if (op === "square") return 2 * Math.abs(x) * e + e * e + unaryRounding(op, precision, x, x * x);
  if (x === -Infinity) return 0;
  return spread(reference, x, e) + unaryRounding(op, precision, x, reference(x));
}

const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

/** The error of an operation of two real operands. */
export function binaryError(op: BinaryOp, precision: Precision, a: Near, b: Near): number {
  const { reference, to } = binaryOps[op];
  const [x, y, ex, ey] = [a.value, b.value, a.error, b.error];
  const value = reference(x, y);
  const own = (): number => binaryRounding(op, precision, [x, y], value);
  switch (op) {
    case "plus":
    case "minus":
      return Number.isFinite(value) ? ex + ey + own() : 0;
    case "times":
      return product(Math.abs(x), ey) + product(Math.abs(y), ex) + product(ex, ey) + own();
    case "over": {
      const room = Math.abs(y) - ey;
      return room > 0 ? (ex + Math.abs(value) * ey) / room + own() : Infinity;
    }
    case "minimum":
    case "maximum":
    case "and":
    case "or":
      return Math.max(ex, ey);
    default: {
      if (to === "bool") return ex + ey > 0 && Math.abs(x - y) <= ex + ey ? 1 : 0;
      const corners = [-1, 1].flatMap((s) => [-1, 1].map((t) => reference(x + s * ex, y + t * ey)));
      const off = Math.max(...corners.map((corner) => Math.abs(corner - value)));
      return Number.isNaN(off) ? Infinity : off + own();
    }
  }
}

export const unaryReadError =
  (op: UnaryOp, precision: Precision, a: Operand): Read =>
  (place) =>
    unaryError(op, precision, { value: a.value(place), error: a.error(place) });

/** The error of a node of two operands, which may be whole numbers or an entry and the largest of its own. */
export function binaryReadError(node: Binary, precision: Precision, a: Operand, b: Operand): Read {
  const { op, args } = node;
  const isOwnMaximum = args.some(
    (arg, position) =>
      arg.tag === "reduce" && arg.op === "max" && arg.args[0] === args[1 - position],
  );
  return (place) => {
    const [first, second] = [a, b].map(({ value, error }) => ({
      value: value(place),
      error: error(place),
    })) as [Near, Near];
    if (args[0].dtype !== "f32") return Math.max(first.error, second.error);
    // the entry that is the largest is computed once, and so equals itself
    const isSame = isOwnMaximum && node.dtype === "bool" && first.value === second.value;
    return isSame ? 0 : binaryError(op, precision, first, second);
  };
}

/** The operators over values that are known up to an error. */
function nearby(precision: Precision): Algebra<Near> {
  return {
    ...Object.fromEntries(
      unaryNames.map((op) => [
        op,
        (x: Near) => ({
          value: unaryOps[op].reference(x.value),
          error: unaryError(op, precision, x),
        }),
      ]),
    ),
    ...Object.fromEntries(
      binaryNames.map((op) => [
        op,
        (a: Near, b: Near) => ({
          value: binaryOps[op].reference(a.value, b.value),
          error: binaryError(op, precision, a, b),
        }),
      ]),
    ),
    constant: (value: number) => ({
      value,
      error: Math.abs(value) * (precision === "single" ? 2 ** -24 : 2 ** -48),
    }),
    // where the condition is not sure, either side may be taken
    select: (condition: Near, a: Near, b: Near) => {
      const [taken, other] = condition.value === 0 ? [b, a] : [a, b];
      if (condition.error === 0) return taken;
      const reach = Math.abs(taken.value - other.value) + other.error;
      return { value: taken.value, error: Math.max(taken.error, reach) };
    },
  } as Algebra<Near>;
}

/** What an operator without a bound of its own returns for exact operands, and how far a float may be from it. */
export function composed(
  op: UnaryOp | BinaryOp,
  precision: Precision,
  operands: readonly number[],
): Near {
  const k = nearby(precision);
  const [a, b] = operands.map((value) => ({ value, error: 0 })) as [Near, Near];
  if (op in unaryOps) {
    const row = unaryOps[op as UnaryOp];
    const form = row[precision] ?? row.definition;
    if (typeof form === "function") return form(k, a);
  } else {
    const row = binaryOps[op as BinaryOp];
    const form = row[precision] ?? row.definition;
    if (typeof form === "function") return form(k, a, b);
  }
  throw new Error(`${op} has neither a bound nor a form`);
}

/** What an operation of one operand x with the value y adds to the error. */
export function unaryRounding(op: UnaryOp, precision: Precision, x: number, y: number): number {
  const { rounding } = unaryOps[op];
  if (rounding === undefined) return composed(op, precision, [x]).error;
  return rounding === null ? 0 : rounding[precision](x, y);
}

/** What an operation of two operands with the value y adds to the error. */
export function binaryRounding(
  op: BinaryOp,
  precision: Precision,
  [a, b]: readonly [number, number],
  y: number,
): number {
  const { rounding } = binaryOps[op];
  if (rounding === undefined) return composed(op, precision, [a, b]).error;
  return rounding === null ? 0 : rounding[precision](a, b, y);
}
