// Short spellings of the core's constructors, so that the rule lists read like the identities they state.

import type { Axis } from "../core/axis.ts";
import { binary, constant, reduce, unary } from "../core/build.ts";
import type { Node } from "../core/node.ts";

export const zero: Node = constant(0);
export const one: Node = constant(1);
export const yes: Node = constant(1, "bool");
export const no: Node = constant(0, "bool");

export const neg = (x: Node): Node => unary("neg", x);
export const exp = (x: Node): Node => unary("exp", x);
export const log = (x: Node): Node => unary("log", x);
export const log1p = (x: Node): Node => unary("log1p", x);
export const expm1 = (x: Node): Node => unary("expm1", x);
export const log1mExp = (x: Node): Node => unary("log1mExp", x);
export const sigmoid = (x: Node): Node => unary("sigmoid", x);
export const logSigmoid = (x: Node): Node => unary("logSigmoid", x);
export const square = (x: Node): Node => unary("square", x);
export const sqrt = (x: Node): Node => unary("sqrt", x);
export const abs = (x: Node): Node => unary("abs", x);
export const not = (x: Node): Node => unary("not", x);
export const plus = (a: Node, b: Node): Node => binary("plus", a, b);
export const minus = (a: Node, b: Node): Node => binary("minus", a, b);
export const times = (a: Node, b: Node): Node => binary("times", a, b);
export const over = (a: Node, b: Node): Node => binary("over", a, b);
export const pow = (a: Node, b: Node): Node => binary("pow", a, b);
export const sum = (axis: Axis, x: Node): Node => reduce("sum", axis, x);
export const max = (axis: Axis, x: Node): Node => reduce("max", axis, x);
export const logSumExp = (axis: Axis, x: Node): Node => reduce("logSumExp", axis, x);
