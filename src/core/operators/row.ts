// What a row of the table of operators holds. An operator is one exported constant of this folder, and its name is the name of
// the constant: every list of operators, every type of their names and every function of the surface language is worked
// out from these constants. What an operator is made of (derivative, forms) is written over an algebra, so that one
// formula serves core nodes, kernel values, float64 and the text of other languages.

import type { DType } from "../node.ts";
import type { BinaryOp, UnaryOp } from "../ops.ts";

/** The operators as functions of whatever stands for a value. */
export type Algebra<V> = { readonly [Op in UnaryOp]: (x: V) => V } & {
  readonly [Op in BinaryOp]: (a: V, b: V) => V;
} & {
  readonly constant: (value: number) => V;
  /** `whenTrue` where the condition holds, `whenFalse` elsewhere. */
  readonly select: (condition: V, whenTrue: V, whenFalse: V) => V;
};

export interface Signature {
  readonly from: readonly DType[];
  /** Result type; null means the type of the operands. */
  readonly to: DType | null;
}

/** Where an operand may lie; ends that are left out are infinite. */
export interface Domain {
  /** Least operand, included. */
  readonly from?: number;
  /** Excluded lower end. */
  readonly above?: number;
  /** Largest operand, included. */
  readonly to?: number;
  /** Excluded upper end. */
  readonly below?: number;
  /** A point that is left out. */
  readonly except?: number;
}

/** A closed interval. */
export type Interval = readonly [number, number];

export type Form1 = <V>(k: Algebra<V>, x: V) => V;
export type Form2 = <V>(k: Algebra<V>, a: V, b: V) => V;
/** How kernels compute an operator: by a function of theirs, by a sign, or by other operators. */
export type Spelling<Form> = { readonly call: string } | { readonly sign: string } | Form;

/** How far one application may be from the float64 meaning, given its operands and its value y. */
export interface Rounding<Bound> {
  readonly single: Bound;
  readonly pair: Bound;
}
export type Bound1 = (x: number, y: number) => number;
export type Bound2 = (a: number, b: number, y: number) => number;

/** Binding strengths of the printed notation, weakest first. */
export const strengths = {
  or: 1,
  and: 2,
  comparison: 3,
  sum: 4,
  product: 5,
  prefix: 6,
  atom: 7,
} as const;
export interface Infix {
  readonly symbol: string;
  /** An operand that binds less tightly needs parentheses. */
  readonly strength: keyof typeof strengths;
}

interface Row<Form, Bound> extends Signature {
  /** The comment of the function of the surface language; without it, there is no function of this name. */
  readonly says?: string;
  /**
   * Rank in the termination order, between those of `structureRanks` (rewrite/termination.ts). A rule may bring in only
   * operators of lower rank than what it removes, and a definition only such as rank below its operator.
   */
  readonly rank: number;
  /**
   * The operator in terms of others, where that loses no digits and is defined wherever the operator is. Rewriting puts it
   * in the operator's place, so that every rule for the others serves this one too and kernels never see it.
   */
  readonly definition?: Form;
  /** How kernels compute it in single floats; absent where there is a definition. */
  readonly single?: Spelling<Form>;
  /** How row programs compute it in pairs of floats; absent where there is a definition or where it takes no reals. */
  readonly pair?: Spelling<Form>;
  /** Absent where it follows from the definition or the forms; null where nothing is rounded. */
  readonly rounding?: Rounding<Bound> | null;
}

export interface UnaryRow extends Row<Form1, Bound1> {
  readonly to: DType;
  /** Meaning in float64; booleans are 0 and 1. */
  readonly reference: (x: number) => number;
  /** d op(x) / dx, given the operand and the value; null where the operator is not differentiable. */
  readonly derivative: (<V>(k: Algebra<V>, x: V, y: V) => V) | null;
  readonly domain: Domain;
  /** Where tests draw operands: well inside the domain, and wide. */
  readonly sample: Interval;
  /** Where the operator or its derivative jumps. */
  readonly kinks?: readonly number[];
  /** How it is printed before its operand; otherwise as a function. */
  readonly prefix?: string;
}

export interface BinaryRow extends Row<Form2, Bound2> {
  readonly reference: (a: number, b: number) => number;
  readonly derivative: (<V>(k: Algebra<V>, a: V, b: V, y: V) => readonly [V, V]) | null;
  readonly domain: readonly [Domain, Domain];
  readonly sample: readonly [Interval, Interval];
  /** Whether the operator or its derivative jumps where both operands are equal. */
  readonly jumpsAtTies?: boolean;
  /** Whether the operands may be exchanged. */
  readonly commutes?: boolean;
  /** How it is printed between its operands; otherwise as a function. */
  readonly infix?: Infix;
}

/** An operator that is written between its operands, and as a method of expressions. */
export interface MethodRow<Kind extends "arithmetic" | "comparison" | "logical"> extends BinaryRow {
  readonly method: Kind;
  readonly infix: Infix;
}

/** Whether a number lies in a domain, and at least `by` away from its finite ends. */
export function isWithin(domain: Domain, x: number, by: number = 0): boolean {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity, except } = domain;
  if (by > 0)
    return (
      x - by >= Math.max(from, above) &&
      x + by <= Math.min(to, below) &&
      (except === undefined || Math.abs(x - except) >= by)
    );
  // an excluded infinity is none: −∞ is an operand like any other
  const isAbove = above === -Infinity || x > above;
  const isBelow = below === Infinity || x < below;
  return x >= from && x <= to && isAbove && isBelow && x !== except;
}
