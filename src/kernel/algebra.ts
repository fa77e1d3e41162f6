// The operators as functions of kernel values, on single floats or on pairs: what a row of the table of operators is written
// over where it makes its operator of others.

import type { Algebra } from "../core/operators/row.ts";
import { binaryNames, unaryNames } from "../core/ops.ts";
import type { Value } from "./value.ts";
import { binary, choose, convert, f32, pair, unary } from "./values.ts";

const algebra = (constant: (value: number) => Value, asReal: (v: Value) => Value): Algebra<Value> =>
  ({
    ...Object.fromEntries(
      unaryNames.map((op) => [op, op === "toReal" ? asReal : (x: Value) => unary(op, x)]),
    ),
    ...Object.fromEntries(binaryNames.map((op) => [op, (a: Value, b: Value) => binary(op, a, b)])),
    constant,
    select: choose,
  }) as Algebra<Value>;

const ofSingles = algebra(f32, (v) => convert("f32", v));
const ofPairs = algebra(pair, (v) => convert("pair", convert("f32", v)));

export const algebraOf = (column: "single" | "pair"): Algebra<Value> =>
  column === "pair" ? ofPairs : ofSingles;
