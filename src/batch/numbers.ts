// What callers may write where numbers are wanted: typed arrays of any integer or float type, plain arrays, and
// arrays nested to any depth as Python's tolist() makes them. Everything else ends in a sentence. Integers are
// looked at before they are stored, so that −100 or a fraction is reported and never wrapped around.

import { fail, type ErrorCode } from "../core/error.ts";
import { describeKind } from "./logits.ts";

/** A flat list of numbers. BigInt64Array (PyTorch's int64) and booleans (masks) are understood. */
export type Numbers = ArrayLike<number | bigint | boolean>;
/** Numbers nested as in a tensor; all parts of one depth have one length. */
export type Nested = Numbers | readonly Nested[];

export interface Flat {
  readonly values: ArrayLike<number>;
  /** One extent per depth: [n] for a flat list. */
  readonly shape: readonly number[];
}

type Part = ArrayLike<unknown>;

const isTyped = (value: unknown): value is Part =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** Whether a value is an array of something. */
export const isArrayLike = (value: unknown): value is Part =>
  Array.isArray(value) || isTyped(value);

/** Whether the elements of an array are arrays themselves. */
export const isNested = (value: unknown): value is readonly Part[] =>
  Array.isArray(value) && isArrayLike(value[0]);

function toNumber(value: unknown, what: string, position: number): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return fail(
    "not-a-number",
    `${what} holds a value of type ${describeKind(value)} at position ${position}; give numbers only.`,
  );
}

/** Deeper than tensors are. */
const deepest = 8;

function shapeOf(source: unknown, what: string): readonly number[] {
  const shape: number[] = [];
  let part = source;
  for (;;) {
    if (!isArrayLike(part)) {
      return fail(
        "not-an-array",
        `${what} is of type ${describeKind(part)}; give an array or a typed array of numbers.`,
      );
    }
    if (shape.length === deepest) {
      fail(
        "nesting-uneven",
        `${what} is nested more than ${deepest} deep; give numbers nested as in a tensor.`,
      );
    }
    shape.push(part.length);
    if (!isNested(part)) return shape;
    part = part[0];
  }
}

/**
 * The numbers in order, with their shape. A typed array of floats is not copied. Nothing is allocated by the shape alone,
 * which the first entries may promise and the others not keep.
 * @throws PrefcError "not-an-array", "not-a-number" or "nesting-uneven".
 */
export function flatten(source: Nested, what: string): Flat {
  const shape = shapeOf(source, what);
  if (source instanceof Float32Array || source instanceof Float64Array)
    return { values: source, shape };
  const values: number[] = [];
  const visit = (part: unknown, depth: number, path: string): void => {
    if (!isArrayLike(part) || part.length !== shape[depth]) {
      const found = isArrayLike(part) ? `${part.length} entries` : "no array";
      return fail(
        "nesting-uneven",
        `${what}${path} has ${found} where ${what} began with ${shape[depth]}; pad or cut so that all have the same length.`,
      );
    }
    for (let index = 0; index < part.length; index++) {
      if (depth + 1 < shape.length) visit(part[index], depth + 1, `${path}[${index}]`);
      else values.push(toNumber(part[index], what, values.length));
    }
  };
  visit(source, 0, "");
  return { values: Float64Array.from(values), shape };
}

/**
 * A flat list as reals. Float arrays are passed on as they are.
 * @throws PrefcError as `flatten` does, and "not-flat" if the list is nested.
 */
export function reals(source: Numbers, what: string): Float32Array | Float64Array {
  if (source instanceof Float32Array || source instanceof Float64Array) return source;
  const { values, shape } = flatten(source, what);
  if (shape.length !== 1)
    fail("not-flat", `${what} is nested ${shape.length} deep; give a flat list of numbers.`);
  return Float64Array.from(values);
}

/**
 * A flat list as whole numbers from 0.
 * @throws PrefcError as `reals` does, and `code` for a negative number, a fraction or one above 2³² − 1.
 */
export function indices(
  source: Numbers,
  what: string,
  code: ErrorCode = "not-an-index",
): Uint32Array {
  const values = reals(source, what);
  const wrong = values.findIndex(
    (value) => !Number.isInteger(value) || value < 0 || value >= 2 ** 32,
  );
  if (wrong >= 0) {
    fail(
      code,
      `${what} is ${values[wrong]} at position ${wrong}; give whole numbers from 0 upward.`,
    );
  }
  return Uint32Array.from(values);
}
