// Prints the values of a kernel as WGSL. An operand is put in parentheses where it is made with an operator itself; nothing
// else is. What a value needs beside its text is noted on the way: functions of the prelude, and subgroup operations.

import type { FunctionName } from "../kernel/functions.ts";
import type {
  Builtin,
  Element,
  Lanes,
  Scalar,
  Uniform,
  Value,
  Variable,
} from "../kernel/kernel.ts";
import { binaryOf, unaryOf, type Written } from "./operators.ts";

/** What the printer of values is told, and what it tells. */
export interface Context {
  /** The printed name of a variable. */
  readonly nameOf: (variable: Variable) => string;
  /** Functions that were called, of which some are WGSL's own. */
  readonly called: Set<string>;
  usesSubgroups: boolean;
}

const builtins: Readonly<Record<Builtin, string>> = {
  lane: "lane",
  "group x": "group.x",
  "group y": "group.y",
  "group z": "group.z",
};
const uniforms: Readonly<Record<Uniform, string>> = {
  examples: "shape.examples",
  tokens: "shape.tokens",
  vocab: "shape.vocab",
  "first row": "window.first_row",
  rows: "window.rows",
  "grid width": "window.grid_width",
  "work reads": "work.reads",
  "work writes": "work.writes",
  "work count": "work.count",
  "work grid width": "work.grid_width",
};
const functionNames: Readonly<Record<FunctionName, string>> = {
  widen_bf16: "widen_bf16",
  widen_f16: "widen_f16",
  narrow_bf16: "narrow_bf16",
  narrow_f16: "narrow_f16",
  across: "across",
  unpack_f16: "unpack2x16float",
  insert_bits: "insertBits",
};
const subgroups = { max: "subgroupMax", add: "subgroupAdd" } as const;

/** How a type is written; a pair is a vector of two. */
export function typeName({ type, lanes }: { type: Scalar; lanes: Lanes }): string {
  if (type === "pair") return "vec2<f32>";
  return lanes === 1 ? type : `vec${lanes}<${type}>`;
}
export const elementName = (element: Element): string =>
  element.atomic === true ? `atomic<${typeName(element)}>` : typeName(element);

function number(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}
function literal(type: Scalar, value: number): string {
  switch (type) {
    case "f32":
      return number(value);
    case "u32":
      return `${value}u`;
    case "i32":
      return `${value}i`;
    case "bool":
      return value === 1 ? "true" : "false";
    case "pair":
      return `vec2<f32>(${number(value)}, ${number(value - Math.fround(value))})`;
  }
}

/** The element that a load reads, as it is named where something is stored. */
export const placeOf = (
  { buffer, index }: Extract<Value, { kind: "load" }>,
  context: Context,
): string => `${buffer.name}[${print(index, context)}]`;

export function print(value: Value, context: Context): string {
  const of = (inner: Value): string => print(inner, context);
  switch (value.kind) {
    case "variable":
      return context.nameOf(value);
    case "literal":
      return literal(value.type, value.value);
    case "builtin":
      return builtins[value.name];
    case "uniform":
      return uniforms[value.name];
    case "param": {
      const second = value.slot % 2 === 1;
      const half = value.type === "pair" ? (second ? "zw" : "xy") : second ? "z" : "x";
      return `params[${value.slot >> 1}].${half}`;
    }
    case "load": {
      const place = placeOf(value, context);
      return value.buffer.element.atomic === true ? `atomicLoad(&${place})` : place;
    }
    case "component": {
      const vector = operand(value.of, context);
      return typeof value.position === "number"
        ? `${vector}.${"xyzw"[value.position]}`
        : `${vector}[${of(value.position)}]`;
    }
    case "half":
      return `${operand(value.of, context)}.${value.second ? "zw" : "xy"}`;
    case "unary":
      return written(unaryOf(value.op, value.of), [value.of], context);
    case "binary":
      return written(
        binaryOf(value.op, value.left, value.right),
        [value.left, value.right],
        context,
      );
    case "select":
      return `select(${of(value.whenFalse)}, ${of(value.whenTrue)}, ${of(value.condition)})`;
    case "convert":
      if (value.type === "pair") return `vec2<f32>(${of(value.of)}, 0.0)`;
      return value.of.type === "pair"
        ? `${operand(value.of, context)}.x`
        : `${typeName(value)}(${of(value.of)})`;
    case "bits":
      return `bitcast<${typeName(value)}>(${of(value.of)})`;
    case "splat":
      return `${typeName(value)}(${of(value.of)})`;
    case "vector":
      return `${typeName(value)}(${value.parts.map(of).join(", ")})`;
    case "any":
      return `any(${of(value.of)})`;
    case "subgroup":
      context.usesSubgroups = true;
      return `${subgroups[value.op]}(${of(value.of)})`;
    case "call":
      return called(functionNames[value.name], value.args, context);
  }
}

function called(name: string, args: readonly Value[], context: Context): string {
  context.called.add(name);
  return `${name}(${args.map((arg) => print(arg, context)).join(", ")})`;
}

function written(how: Written, args: readonly Value[], context: Context): string {
  if ("call" in how) return called(how.call, args, context);
  if ("as" in how) return print(how.as, context);
  const [first, second] = args.map((arg) => operand(arg, context));
  return second === undefined ? `${how.sign}${first}` : `${first} ${how.sign} ${second}`;
}

/** A value as an operand. */
function operand(value: Value, context: Context): string {
  const text = print(value, context);
  return isCompound(value) ? `(${text})` : text;
}

function isCompound(value: Value): boolean {
  if (value.kind !== "unary" && value.kind !== "binary") return false;
  const how =
    value.kind === "unary"
      ? unaryOf(value.op, value.of)
      : binaryOf(value.op, value.left, value.right);
  return "as" in how ? isCompound(how.as) : "sign" in how;
}
