// What the operators of a kernel give on the host, by type. Single floats are rounded after every operation, as a device
// rounds them; with `exact` they are not, which shows the algebra of a kernel without its rounding. A pair is the sum of
// two single floats; its meaning is the core's. Truth values are 0 and 1.

import { binaryOps, unaryOps } from "../core/ops.ts";
import type { KernelBinary, KernelUnary, Scalar } from "../kernel/kernel.ts";

export type Precision = "single" | "exact";
type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;

const integer = (type: Scalar): Unary => (type === "u32" ? (x) => x >>> 0 : (x) => x | 0);
/** The pair nearest to a number: what two single floats hold of it, so that storing it changes nothing. */
const pairOf: Unary = (x) => {
  const high = Math.fround(x);
  return Number.isFinite(high) ? high + Math.fround(x - high) : high;
};

/** Rounds to the nearest number of a type that an operation may give. */
function roundingOf(type: Scalar, precision: Precision): Unary {
  switch (type) {
    case "f32":
      return precision === "single" ? Math.fround : (x) => x;
    case "pair":
      return pairOf;
    case "u32":
    case "i32":
      return integer(type);
    case "bool":
      return (x) => x;
  }
}

export function unaryOf(op: KernelUnary, type: Scalar, precision: Precision): Unary {
  const round = roundingOf(type, precision);
  if (op === "bitNot") return (x) => round(~x);
  const { reference } = unaryOps[op];
  return (x) => round(reference(x));
}

const comparisons: Readonly<Partial<Record<KernelBinary, Binary>>> = {
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
};
const ofBits: Readonly<Partial<Record<KernelBinary, Binary>>> = {
  remainder: (a, b) => a % b,
  bitAnd: (a, b) => a & b,
  bitOr: (a, b) => a | b,
  shiftLeft: (a, b) => a << b,
  shiftRight: (a, b) => a >>> b,
};

/** A binary operator on operands of a type. */
export function binaryOf(op: KernelBinary, type: Scalar, precision: Precision): Binary {
  const comparison = comparisons[op];
  if (comparison !== undefined) return comparison;
  const round = roundingOf(type, precision);
  const bits = ofBits[op];
  if (bits !== undefined) return (a, b) => round(bits(a, b));
  if (type === "u32" || type === "i32") {
    if (op === "times") return (a, b) => round(Math.imul(a, b));
    if (op === "over") return (a, b) => round(b === 0 ? a : Math.trunc(a / b));
  }
  // a single product of 0 and an infinity is no number; 0 times anything is 0 in the core and in pairs
  if (op === "times" && type === "f32") return (a, b) => round(a * b);
  const { reference } = binaryOps[op as keyof typeof binaryOps];
  return (a, b) => round(reference(a, b));
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
/** The bits of a single float, and the float of such bits. */
export function bitsOf(x: number): number {
  single[0] = x;
  return word[0]!;
}
export function floatOf(bits: number): number {
  word[0] = bits;
  return single[0]!;
}

/** The number nearest to another one in another type. */
export function converted(from: Scalar, to: Scalar, precision: Precision): Unary {
  const round = roundingOf(to, precision);
  if (to === "bool") return (x) => Number(x !== 0);
  if (to === "u32" || to === "i32") return (x) => round(Math.trunc(x));
  return from === "pair" && to === "f32" ? Math.fround : round;
}
