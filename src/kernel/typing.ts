// What is wrong with a value of a kernel, by itself: an operator on operands of another type, a component that a vector does
// not have, a call with other arguments than the function takes. Whether its variables are declared is up to verify.ts.

import type { Element } from "./buffer.ts";
import { functions } from "./functions.ts";
import type { KernelBinary, KernelUnary, Scalar, Typed, Value } from "./value.ts";

const typeText = ({ type, lanes }: Typed): string => (lanes === 1 ? type : `${type} × ${lanes}`);
export const sameType = (a: Typed, b: Typed): boolean => a.type === b.type && a.lanes === b.lanes;
const elementType = ({ type, lanes }: Element): Typed => ({ type, lanes });

const reals: readonly Scalar[] = ["f32", "pair"];
const numbers: readonly Scalar[] = ["f32", "pair", "u32", "i32"];
const unsigned: readonly Scalar[] = ["u32"];
const truths: readonly Scalar[] = ["bool"];

function operandsOfUnary(op: KernelUnary): readonly Scalar[] {
  if (op === "not") return truths;
  return op === "bitNot" ? unsigned : reals;
}
function operandsOfBinary(op: KernelBinary): readonly Scalar[] {
  switch (op) {
    case "and":
    case "or":
      return truths;
    case "bitAnd":
    case "bitOr":
      return ["u32", "bool"];
    case "shiftLeft":
    case "shiftRight":
    case "remainder":
      return unsigned;
    default:
      return numbers;
  }
}

/** Null where the value is well typed, given that its operands are. */
export function typeComplaint(value: Value): string | null {
  switch (value.kind) {
    case "variable":
    case "builtin":
    case "uniform":
    case "param":
      return null;
    case "literal":
      return value.type === "f32" && !Number.isFinite(value.value)
        ? "no literal is infinite"
        : null;
    case "load":
      if (!isIndex(value.index)) return `an index is ${typeText(value.index)}`;
      return sameType(value, elementType(value.buffer.element)) ? null : "a load of another type";
    case "component":
      return componentComplaint(value.of, value.position);
    case "half":
      return value.of.lanes === 4 ? null : `half of ${typeText(value.of)}`;
    case "unary":
      return operandsOfUnary(value.op).includes(value.of.type)
        ? null
        : `${value.op} of ${typeText(value.of)}`;
    case "binary": {
      const { op, left, right } = value;
      const isRight = sameType(left, right) && operandsOfBinary(op).includes(left.type);
      return isRight ? null : `${op} of ${typeText(left)} and ${typeText(right)}`;
    }
    case "select": {
      const { condition, whenTrue, whenFalse } = value;
      const chooses =
        condition.type === "bool" && (condition.lanes === 1 || condition.lanes === whenTrue.lanes);
      if (!chooses) return `a choice by ${typeText(condition)} of ${typeText(whenTrue)}`;
      return sameType(whenTrue, whenFalse)
        ? null
        : `a choice between ${typeText(whenTrue)} and ${typeText(whenFalse)}`;
    }
    case "convert":
      return value.type === "pair" && value.of.type !== "f32"
        ? `a pair made of ${typeText(value.of)}`
        : null;
    case "bits":
      return (value.type === "u32") === (value.of.type === "f32")
        ? null
        : `the bits of ${typeText(value.of)} as ${value.type}`;
    case "splat":
      return value.of.lanes === 1 ? null : `a vector of ${typeText(value.of)}`;
    case "vector": {
      const all = value.parts.reduce((sum, { lanes }) => sum + lanes, 0);
      const same = value.parts.every(({ type }) => type === value.type);
      return all === value.lanes && same ? null : `a vector of ${value.parts.length} parts`;
    }
    case "any":
      return value.of.type === "bool" ? null : `any of ${typeText(value.of)}`;
    case "subgroup":
      return ["f32", "u32"].includes(value.of.type) && value.of.lanes === 1
        ? null
        : `a subgroup's ${value.op} of ${typeText(value.of)}`;
    case "call": {
      const { from } = functions[value.name];
      const fits =
        from.length === value.args.length &&
        from.every((type, position) => sameType(type, value.args[position]!));
      return fits ? null : `${value.name} of ${value.args.map(typeText).join(", ")}`;
    }
  }
}

const isIndex = (value: Value): boolean => value.type === "u32" && value.lanes === 1;

function componentComplaint(of: Value, position: number | Value): string | null {
  if (typeof position !== "number")
    return isIndex(position) ? null : `a component's number is ${typeText(position)}`;
  return position < of.lanes ? null : `component ${position} of ${typeText(of)}`;
}
