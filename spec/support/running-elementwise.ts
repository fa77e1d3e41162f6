// How errors of operands pass through the operations that act at every index alone, and what such an operation adds of its own.
import type { Binary } from "../../src/core/node.ts";
import { binaryOps, unaryOps, type UnaryOp } from "../../src/core/ops.ts";
import type { Environment } from "../../src/reference/tensor.ts";
import { binaryRounding, unaryRounding, type Precision } from "./rounding.ts";

/** A number in each environment. */
export type Read = (place: Environment) => number;
/** A value and how far a float may be from it; of bools and integers, 1 means that they are not sure. */
export interface Operand {
  readonly value: Read;
  readonly error: Read;
}

/** How far f gets from its value when its operand moves by e either way; f is monotone on either side of x. */
function spread(f: (x: number) => number, x: number, e: number): number {
  if (e === 0) return 0;
  const y = f(x);
  const off = Math.max(Math.abs(f(x + e) - y), Math.abs(f(x - e) - y));
  return Number.isNaN(off) ? Infinity : off;
}

/** The error of an operation of one operand. */
export function unaryError(op: UnaryOp, precision: Precision, a: Operand): Read {
  const { reference } = unaryOps[op];
  return (place) => {
    const [x, e] = [a.value(place), a.error(place)];
    if (op === "toReal" || op === "not") return e;
    if (op === "sign") return e > 0 && Math.abs(x) <= e ? 2 : 0;
    if (op === "square")
      return 2 * Math.abs(x) * e + e * e + unaryRounding(op, precision, x, x * x);
    if (x === -Infinity) return 0;
    return spread(reference, x, e) + unaryRounding(op, precision, x, reference(x));
  };
}

const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

/** The error of an operation of two operands. */
export function binaryError(node: Binary, precision: Precision, a: Operand, b: Operand): Read {
  const { op, args } = node;
  const apply = binaryOps[op].reference;
  const [largest] = args.filter(
    (arg, position) =>
      arg.tag === "reduce" && arg.op === "max" && arg.args[0] === args[1 - position],
  );
  return (place) => {
    const [x, y, ex, ey] = [a.value(place), b.value(place), a.error(place), b.error(place)];
    const value = apply(x, y);
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
      case "pow": {
        const corners = [-1, 1].flatMap((s) => [-1, 1].map((t) => apply(x + s * ex, y + t * ey)));
        const off = Math.max(...corners.map((corner) => Math.abs(corner - value)));
        return Number.isNaN(off) ? Infinity : off + own();
      }
      case "minimum":
      case "maximum":
        return Math.max(ex, ey);
      case "and":
      case "or":
        return Math.max(ex, ey);
      case "gt":
      case "ge":
      case "lt":
      case "le":
      case "eq":
      case "ne":
        if (args[0].dtype !== "f32") return Math.max(ex, ey);
        // the entry that is the largest is computed once, and so equals itself
        if (largest !== undefined && x === y) return 0;
        return ex + ey > 0 && Math.abs(x - y) <= ex + ey ? 1 : 0;
    }
  };
}
