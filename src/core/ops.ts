// The operators, one row each: their meaning in float64, their local derivative
// as an expression, and the name of the WGSL function that computes them. Adding an operator is adding a
// row; a test asserts that every row is complete and that its derivative agrees with its meaning.

import { binary, constant, select, unary } from "./build.ts";
import type { DType, Node } from "./node.ts";
import {
  binarySignatures,
  unarySignatures,
  type BinaryOp,
  type ReduceOp,
  type Signature,
  type SortOp,
  type UnaryOp,
} from "./signatures.ts";

export type { BinaryOp, ReduceOp, SortOp, UnaryOp } from "./signatures.ts";

/** The meaning of an operator of one operand. */
interface UnaryMeaning {
  /** Meaning in float64; booleans are 0 and 1. */
  readonly reference: (x: number) => number;
  /** d op(x) / dx, given the operand and the value; null where the operator is not differentiable. */
  readonly derivative: ((x: Node, y: Node) => Node) | null;
  /** How the operator is written in WGSL, given the WGSL of its operand. */
  readonly wgsl: (x: string) => string;
  /** Where the operator is defined and smooth, for the generators of the tests. */
  readonly domain: readonly [number, number];
}

interface BinaryMeaning {
  readonly reference: (a: number, b: number) => number;
  readonly derivative: ((a: Node, b: Node, y: Node) => readonly [Node, Node]) | null;
  readonly wgsl: (a: string, b: string) => string;
}

/** A row: the types of signatures.ts and the meaning. */
export interface UnaryRow extends Signature, UnaryMeaning {
  readonly to: DType;
}
export interface BinaryRow extends Signature, BinaryMeaning {}
export interface SortRow {
  /** The permutation of the positions 0 … n − 1, given the values there. */
  readonly reference: (values: ArrayLike<number>) => readonly number[];
  /** What undoes the permutation. */
  readonly inverse: SortOp;
}
export interface ReduceRow {
  readonly identity: number;
  readonly combine: (a: number, b: number) => number;
}

const one = (): Node => constant(1);
const zero = (): Node => constant(0);
const half = (): Node => constant(0.5);
const neg = (x: Node): Node => unary("neg", x);
const times = (a: Node, b: Node): Node => binary("times", a, b);
const over = (a: Node, b: Node): Node => binary("over", a, b);
const call =
  (name: string) =>
  (x: string): string =>
    `${name}(${x})`;
const infix =
  (symbol: string) =>
  (a: string, b: string): string =>
    `(${a} ${symbol} ${b})`;
const wide = [-30, 30] as const;

/** log(1 − e^x) for x < 0, by the branch that does not cancel. */
const log1mExp = (x: number): number =>
  x < -Math.LN2 ? Math.log1p(-Math.exp(x)) : Math.log(-Math.expm1(x));
const logSigmoid = (x: number): number => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const realRow = (
  reference: UnaryMeaning["reference"],
  derivative: UnaryMeaning["derivative"],
  wgsl: UnaryMeaning["wgsl"],
  domain: UnaryMeaning["domain"] = wide,
): UnaryMeaning => ({ reference, derivative, wgsl, domain });

const unaryMeanings: Readonly<Record<UnaryOp, UnaryMeaning>> = {
  neg: realRow(
    (x) => -x,
    () => constant(-1),
    (x) => `(-${x})`,
  ),
  exp: realRow(Math.exp, (_x, y) => y, call("exp"), [-30, 30]),
  log: realRow(Math.log, (x) => over(one(), x), call("log"), [1e-3, 1e3]),
  log1p: realRow(
    Math.log1p,
    (x) => over(one(), binary("plus", one(), x)),
    call("log1p"),
    [-0.9, 1e3],
  ),
  expm1: realRow(Math.expm1, (x) => unary("exp", x), call("expm1"), [-30, 30]),
  // σ' = σ(x) σ(−x): the form that keeps its precision for large x
  sigmoid: realRow(sigmoid, (x, y) => times(y, unary("sigmoid", neg(x))), call("sigmoid")),
  logSigmoid: realRow(logSigmoid, (x) => unary("sigmoid", neg(x)), call("log_sigmoid")),
  // d log(1 − e^x) / dx = −1 / (e^{−x} − 1)
  log1mExp: realRow(
    log1mExp,
    (x) => over(constant(-1), unary("expm1", neg(x))),
    call("log1m_exp"),
    [-30, -1e-3],
  ),
  // the derivative at the kink is 0, as in PyTorch
  relu: realRow(
    (x) => Math.max(x, 0),
    (x) => unary("toReal", binary("gt", x, zero())),
    (x) => `max(${x}, 0.0)`,
  ),
  abs: realRow(Math.abs, (x) => unary("sign", x), call("abs")),
  sign: realRow(Math.sign, () => zero(), call("sign")),
  square: realRow(
    (x) => x * x,
    (x) => times(constant(2), x),
    call("square"),
  ),
  sqrt: realRow(Math.sqrt, (_x, y) => over(half(), y), call("sqrt"), [1e-3, 1e3]),
  toReal: { reference: (x) => x, derivative: null, wgsl: call("f32"), domain: [0, 1] },
  not: { reference: (x) => 1 - x, derivative: null, wgsl: (x) => `(!${x})`, domain: [0, 1] },
};

const compare = (reference: (a: number, b: number) => boolean, symbol: string): BinaryMeaning => ({
  reference: (a, b) => Number(reference(a, b)),
  derivative: null,
  wgsl: infix(symbol),
});
const logical = (reference: (a: number, b: number) => number, symbol: string): BinaryMeaning => ({
  reference,
  derivative: null,
  wgsl: infix(symbol),
});
/** Weight of the first operand of minimum or maximum: 1, 0, or a half each at a tie, as in PyTorch. */
const share = (first: Node, second: Node): Node =>
  select(binary("gt", first, second), one(), select(binary("eq", first, second), half(), zero()));

const binaryMeanings: Readonly<Record<BinaryOp, BinaryMeaning>> = {
  plus: { reference: (a, b) => a + b, derivative: () => [one(), one()], wgsl: infix("+") },
  minus: { reference: (a, b) => a - b, derivative: () => [one(), constant(-1)], wgsl: infix("-") },
  // a factor 0 makes the product 0, whatever the other is: 0 · log 0 = 0 (docs/notes)
  times: {
    reference: (a, b) => (a === 0 || b === 0 ? 0 : a * b),
    derivative: (a, b) => [b, a],
    wgsl: infix("*"),
  },
  over: {
    reference: (a, b) => a / b,
    derivative: (_a, b, y) => [over(one(), b), neg(over(y, b))],
    wgsl: infix("/"),
  },
  // defined for a > 0
  pow: {
    reference: (a, b) => a ** b,
    derivative: (a, b, y) => [
      times(b, binary("pow", a, binary("minus", b, one()))),
      times(y, unary("log", a)),
    ],
    wgsl: (a, b) => `pow(${a}, ${b})`,
  },
  minimum: {
    reference: Math.min,
    derivative: (a, b) => [share(b, a), share(a, b)],
    wgsl: (a, b) => `min(${a}, ${b})`,
  },
  maximum: {
    reference: Math.max,
    derivative: (a, b) => [share(a, b), share(b, a)],
    wgsl: (a, b) => `max(${a}, ${b})`,
  },
  gt: compare((a, b) => a > b, ">"),
  ge: compare((a, b) => a >= b, ">="),
  lt: compare((a, b) => a < b, "<"),
  le: compare((a, b) => a <= b, "<="),
  eq: compare((a, b) => a === b, "=="),
  ne: compare((a, b) => a !== b, "!="),
  and: logical((a, b) => a * b, "&&"),
  or: logical((a, b) => Math.max(a, b), "||"),
};

function rows<Op extends string, S, M>(
  signatures: Readonly<Record<Op, S>>,
  meanings: Readonly<Record<Op, M>>,
): Readonly<Record<Op, S & M>> {
  const names = Object.keys(meanings) as Op[];
  return Object.fromEntries(
    names.map((op) => [op, { ...signatures[op], ...meanings[op] }]),
  ) as Record<Op, S & M>;
}

export const unaryOps: Readonly<Record<UnaryOp, UnaryRow>> = rows(unarySignatures, unaryMeanings);
export const binaryOps: Readonly<Record<BinaryOp, BinaryRow>> = rows(
  binarySignatures,
  binaryMeanings,
);
export const reduceOps: Readonly<Record<ReduceOp, ReduceRow>> = {
  sum: { identity: 0, combine: (a, b) => a + b },
  max: { identity: -Infinity, combine: Math.max },
  logSumExp: {
    identity: -Infinity,
    combine: (a, b) => {
      const m = Math.max(a, b);
      return m === -Infinity ? m : m + Math.log1p(Math.exp(Math.min(a, b) - m));
    },
  },
};

/** Positions by ascending value; those of equal values keep their order, so that every engine agrees. */
const order = (values: ArrayLike<number>): readonly number[] =>
  Array.from(values, (_, position) => position).toSorted((i, j) =>
    values[i]! < values[j]! ? -1 : values[i]! > values[j]! ? 1 : i - j,
  );

export const sortOps: Readonly<Record<SortOp, SortRow>> = {
  order: { reference: order, inverse: "rank" },
  // the rank of i is where i comes in the order: the inverse permutation
  rank: { reference: (values) => order(order(values)), inverse: "order" },
};
