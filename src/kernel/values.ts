// Constructors of the values of a kernel (value.ts). Operands are checked when a value is put together.

import { fail } from "../core/error.ts";
import type { Memory } from "./buffer.ts";
import { functions, type FunctionName } from "./functions.ts";
import { printValue } from "./text.ts";
import type {
  Builtin,
  Component,
  KernelBinary,
  KernelUnary,
  Lanes,
  Load,
  Scalar,
  Uniform,
  Value,
  Variable,
} from "./value.ts";

export const variable = (name: string, type: Scalar = "f32", lanes: Lanes = 1): Variable => ({
  kind: "variable",
  name,
  type,
  lanes,
});
export const literal = (type: Scalar, value: number): Value => ({
  kind: "literal",
  type,
  lanes: 1,
  value,
});
export const u32 = (n: number): Value => literal("u32", n);

/** A finite f32 literal; a number outside f32's range has no spelling in a shader. */
export function f32(n: number): Value {
  const rounded = Math.fround(n);
  if (!Number.isFinite(rounded)) {
    fail(
      "constant-exceeds-f32",
      `The constant ${n} is outside the range of f32; rescale the expression.`,
    );
  }
  return literal("f32", rounded);
}
/** The pair nearest to a number. */
export function pair(n: number): Value {
  f32(n);
  return literal("pair", n);
}

const builtin = (name: Builtin): Value => ({ kind: "builtin", name, type: "u32", lanes: 1 });
export const lane: Value = builtin("lane");
/** The place of a workgroup in the grid. */
export const group: Readonly<Record<"x" | "y" | "z", Value>> = {
  x: builtin("group x"),
  y: builtin("group y"),
  z: builtin("group z"),
};
export const uniform = (name: Uniform): Value => ({
  kind: "uniform",
  name,
  type: "u32",
  lanes: 1,
});
/** A parameter of the objective, which is kept as a pair. */
export const param = (slot: number, type: "f32" | "pair"): Value => ({
  kind: "param",
  slot,
  type,
  lanes: 1,
});

export type InfixSymbol =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "<"
  | "<="
  | ">"
  | ">="
  | "=="
  | "!="
  | "&&"
  | "||"
  | "&"
  | "|"
  | "<<"
  | ">>";
const symbols: Readonly<Record<InfixSymbol, KernelBinary>> = {
  "+": "plus",
  "-": "minus",
  "*": "times",
  "/": "over",
  "%": "remainder",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "==": "eq",
  "!=": "ne",
  "&&": "and",
  "||": "or",
  "&": "bitAnd",
  "|": "bitOr",
  "<<": "shiftLeft",
  ">>": "shiftRight",
};
const comparisons: ReadonlySet<KernelBinary> = new Set(["lt", "le", "gt", "ge", "eq", "ne"]);

export function binary(op: KernelBinary, left: Value, right: Value): Value {
  sameType(left, right, op);
  const type = comparisons.has(op) ? "bool" : left.type;
  return { kind: "binary", op, left, right, type, lanes: widest(left, right) };
}
export const infix = (a: Value, symbol: InfixSymbol, b: Value): Value =>
  binary(symbols[symbol], a, b);
export const plus = (a: Value, b: Value): Value => binary("plus", a, b);
export const minus = (a: Value, b: Value): Value => binary("minus", a, b);
export const times = (a: Value, b: Value): Value => binary("times", a, b);
export const maximum = (a: Value, b: Value): Value => binary("maximum", a, b);
export const minimum = (a: Value, b: Value): Value => binary("minimum", a, b);

export const unary = (op: KernelUnary, of: Value): Value => ({
  kind: "unary",
  op,
  of,
  type: of.type,
  lanes: of.lanes,
});
export const exp = (a: Value): Value => unary("exp", a);
export const not = (a: Value): Value => unary("not", a);

export function choose(condition: Value, whenTrue: Value, whenFalse: Value): Value {
  sameType(whenTrue, whenFalse, "select");
  const { type, lanes } = whenTrue;
  return { kind: "select", condition, whenTrue, whenFalse, type, lanes };
}
/** The number nearest to `of` in a type. */
export const convert = (type: Scalar, of: Value): Value =>
  of.type === type ? of : { kind: "convert", of, type, lanes: of.lanes };
export const bits = (type: "f32" | "u32", of: Value): Value => ({
  kind: "bits",
  of,
  type,
  lanes: of.lanes,
});

/** A scalar repeated in each component. */
export const splat = (of: Value, lanes: Lanes): Value =>
  lanes === 1 || of.lanes === lanes ? of : { kind: "splat", of, type: of.type, lanes };
/** One component of a vector; a scalar is its own. */
export const component = (of: Value, position: number | Value): Value =>
  of.lanes === 1 ? of : componentOf(of, position);
export const componentOf = (of: Value, position: number | Value): Component => ({
  kind: "component",
  of,
  position,
  type: of.type,
  lanes: 1,
});
export const half = (of: Value, second: boolean): Value => ({
  kind: "half",
  of,
  second,
  type: of.type,
  lanes: 2,
});
export const vector = (...parts: readonly Value[]): Value => ({
  kind: "vector",
  parts,
  type: parts[0]!.type,
  lanes: parts.length === 2 && parts[0]!.lanes === 1 ? 2 : 4,
});
/** Whether any component is true. */
export const any = (of: Value): Value => ({ kind: "any", of, type: "bool", lanes: 1 });
/** The largest value, or the sum, over the lanes of a subgroup. */
export const subgroup = (op: "max" | "add", of: Value): Value => ({
  kind: "subgroup",
  op,
  of,
  type: of.type,
  lanes: of.lanes,
});
export const call = (name: FunctionName, ...args: readonly Value[]): Value => ({
  kind: "call",
  name,
  args,
  ...functions[name].to,
});
export const load = (buffer: Memory, index: Value): Load => ({
  kind: "load",
  buffer,
  index,
  type: buffer.element.type,
  lanes: buffer.element.lanes,
});

const widest = (a: Value, b: Value): Lanes => (a.lanes > b.lanes ? a.lanes : b.lanes);

function sameType(a: Value, b: Value, op: string): void {
  if (a.type !== b.type)
    fail(
      "kernel-type",
      `${op}: ${printValue(a)} is ${a.type} but ${printValue(b)} is ${b.type}; this is a bug of prefc, so please report it with the objective.`,
    );
}

/** Variables of one kind, one for each of what they are for; the same arguments give the same variable. */
export function family<Of extends readonly (string | number)[]>(
  make: (...of: Of) => Variable,
): (...of: Of) => Variable {
  const made = new Map<string, Variable>();
  return (...of) => {
    const key = of.join(" ");
    const known = made.get(key);
    if (known !== undefined) return known;
    const own = make(...of);
    made.set(key, own);
    return own;
  };
}
