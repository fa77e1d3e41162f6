// Values of a kernel: trees over the operators of the core, with what only a kernel knows beside them: loads, bits, vectors,
// lanes and variables. values.ts puts them together. How a value is written in a language is up to
// a printer (src/wgsl), and what it is on the host up to the interpreter (src/host).

import type { BinaryOp, UnaryOp } from "../core/ops.ts";
import type { Memory } from "./buffer.ts";
import type { FunctionName } from "./functions.ts";

/** "pair" is a real number in two floats, about 48 bits (docs/notes/0010-pairs.md). */
export type Scalar = "f32" | "u32" | "i32" | "bool" | "pair";
/** Components: 1 for a scalar, otherwise those of a vector. */
export type Lanes = 1 | 2 | 4;

export interface Typed {
  readonly type: Scalar;
  readonly lanes: Lanes;
}
/** A variable is known by its identity. Its name is a wish: a printer may have to choose another one. */
export interface Variable extends Typed {
  readonly kind: "variable";
  readonly name: string;
}
export interface Literal extends Typed {
  readonly kind: "literal";
  /** For a pair any float64 number; a truth value is 0 or 1. */
  readonly value: number;
}
/** The number of a lane in its workgroup, and of a workgroup in the grid. */
export type Builtin = "lane" | "group x" | "group y" | "group z";
/** Extents of the batch, the window of rows of a dispatch, and what a step of a row program is told. */
export type Uniform =
  | "examples"
  | "tokens"
  | "vocab"
  | "first row"
  | "rows"
  | "grid width"
  | "work reads"
  | "work writes"
  | "work count"
  | "work grid width";
export interface Load extends Typed {
  readonly kind: "load";
  readonly buffer: Memory;
  readonly index: Value;
}
export interface Component extends Typed {
  readonly kind: "component";
  readonly of: Value;
  readonly position: number | Value;
}
export type KernelUnary = Exclude<UnaryOp, "toReal"> | "bitNot";
export type KernelBinary = BinaryOp | "remainder" | "bitAnd" | "bitOr" | "shiftLeft" | "shiftRight";

export type Value =
  | Variable
  | Literal
  | Load
  | Component
  | (Typed &
      (
        | { readonly kind: "builtin"; readonly name: Builtin }
        | { readonly kind: "uniform"; readonly name: Uniform }
        | { readonly kind: "param"; readonly slot: number }
        | { readonly kind: "unary"; readonly op: KernelUnary; readonly of: Value }
        | {
            readonly kind: "binary";
            readonly op: KernelBinary;
            readonly left: Value;
            readonly right: Value;
          }
        | {
            readonly kind: "select";
            readonly condition: Value;
            readonly whenTrue: Value;
            readonly whenFalse: Value;
          }
        /** The number nearest to another one in another type. */
        | { readonly kind: "convert"; readonly of: Value }
        /** The same bits in another type. */
        | { readonly kind: "bits"; readonly of: Value }
        | { readonly kind: "splat"; readonly of: Value }
        /** Half of the components of a vector. */
        | { readonly kind: "half"; readonly of: Value; readonly second: boolean }
        /** A vector of parts, each a component or half of the vector. */
        | { readonly kind: "vector"; readonly parts: readonly Value[] }
        | { readonly kind: "any"; readonly of: Value }
        | { readonly kind: "subgroup"; readonly op: "max" | "add"; readonly of: Value }
        | { readonly kind: "call"; readonly name: FunctionName; readonly args: readonly Value[] }
      ));

/** The values that a value is made of. */
export function operandsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case "variable":
    case "literal":
    case "builtin":
    case "uniform":
    case "param":
      return [];
    case "load":
      return [value.index];
    case "component":
      return typeof value.position === "number" ? [value.of] : [value.of, value.position];
    case "unary":
    case "convert":
    case "bits":
    case "splat":
    case "half":
    case "any":
    case "subgroup":
      return [value.of];
    case "binary":
      return [value.left, value.right];
    case "select":
      return [value.condition, value.whenTrue, value.whenFalse];
    case "vector":
      return value.parts;
    case "call":
      return value.args;
  }
}

/** How many parts of a value, itself included, are of a kind. */
export const count = (value: Value, isOne: (part: Value) => boolean): number =>
  operandsOf(value).reduce((sum, of) => sum + count(of, isOne), isOne(value) ? 1 : 0);
