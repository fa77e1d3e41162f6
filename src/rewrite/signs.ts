// What is known of the sign of an expression from its form alone. A rule that removes a function with a domain (√x squared is
// x, where it is anything) applies only where the operand lies in that domain for certain, so that what is undefined as it
// is written stays undefined everywhere.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { isPrompt } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";

/** How far an expression is looked into. */
const deepest = 12;

type Sign = "positive" | "nonnegative" | "nonpositive";

const opposite = (x: Node, sign: Sign, depth: number): boolean =>
  sign === "nonpositive"
    ? has(x, "nonnegative", depth)
    : sign === "nonnegative" && has(x, "nonpositive", depth);

/** log π: x − log Σ e^x is at most 0. */
const isLogProbability = (a: Node, b: Node): boolean =>
  b.tag === "reduce" && b.op === "logSumExp" && b.args[0] === a;

function has(node: Node, sign: Sign, depth: number): boolean {
  if (depth === 0 || node.dtype !== "f32") return false;
  const all = (one: Sign, ...nodes: readonly Node[]): boolean =>
    nodes.every((arg) => has(arg, one, depth - 1));
  switch (node.tag) {
    case "const":
      if (sign === "positive") return node.value > 0;
      return sign === "nonnegative" ? node.value >= 0 : node.value <= 0;
    case "count": {
      const mayBeEmpty = isTokenAxis(node.axis) && isPrompt(responseOf(node.axis));
      return sign === "nonnegative" || (sign === "positive" && !mayBeEmpty);
    }
    case "unary": {
      const [x] = node.args;
      switch (node.op) {
        case "exp":
        case "sigmoid":
          return sign !== "nonpositive";
        case "abs":
        case "square":
        case "relu":
        case "toReal":
          return sign === "nonnegative";
        case "sqrt":
          return sign === "positive" ? all("positive", x) : sign === "nonnegative";
        case "logSigmoid":
        case "log1mExp":
          return sign === "nonpositive";
        case "expm1":
        case "log1p":
        case "tanh":
          return sign !== "positive" && all(sign, x);
        case "neg":
          return opposite(x, sign, depth - 1);
        default:
          return false;
      }
    }
    case "binary": {
      const [a, b] = node.args;
      switch (node.op) {
        case "plus":
          return sign === "positive"
            ? (all("positive", a) && all("nonnegative", b)) ||
                (all("nonnegative", a) && all("positive", b))
            : all(sign, a, b);
        case "minus":
          return sign === "nonpositive" && isLogProbability(a, b);
        case "times":
          if (sign !== "nonpositive") return all(sign, a, b);
          return (
            (all("nonpositive", a) && all("nonnegative", b)) ||
            (all("nonnegative", a) && all("nonpositive", b))
          );
        case "over":
          return all(sign, a) && all("positive", b);
        case "pow":
          return sign !== "nonpositive" && all("positive", a);
        case "minimum":
          return sign === "nonpositive" ? all(sign, a) || all(sign, b) : all(sign, a, b);
        case "maximum":
          return sign === "nonpositive" ? all(sign, a, b) : all(sign, a) || all(sign, b);
        default:
          return false;
      }
    }
    case "select":
      return all(sign, node.args[1], node.args[2]);
    case "reduce":
      return node.op === "sum" ? sign !== "positive" && all(sign, node.args[0]) : false;
    case "at":
    case "stop":
      return all(sign, node.args[0]);
    case "param":
    case "input":
    case "iota":
    case "sort":
      return false;
  }
}

export const isPositive = (node: Node): boolean => has(node, "positive", deepest);
export const isNonNegative = (node: Node): boolean => has(node, "nonnegative", deepest);
export const isNonPositive = (node: Node): boolean => has(node, "nonpositive", deepest);
