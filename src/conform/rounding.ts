// PyTorch differentiates σ as σ(x)(1 − σ(x)), and prefc as σ(x)σ(−x). They are the same number, but float64 has lost
// 1 − σ(x) from x = 37 on and half its digits from x = 18 on, so what a source records where its losses saturate is the
// rounding of that product. This file writes the one product as the other, so that a gradient can be compared with the
// recorded one to the last digits; that σ(x)σ(−x) is the more accurate one is tested where stability is.

import { binary, constant, substitute, unary } from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";

const isSigmoid = (node: Node | undefined): node is Node & { readonly tag: "unary" } =>
  node?.tag === "unary" && node.op === "sigmoid";

/** σ(x) as one float: relu leaves it as it is, and the interpreter keeps no difference from 1 beside it (reference/apart.ts). */
const oneFloat = (σ: Node): Node => unary("relu", σ);

/** The same terms with every product σ(x)σ(−x) as σ(x)(1 − σ(x)). */
export const asRecorded = (roots: readonly Node[]): readonly Node[] =>
  substitute(
    roots,
    (node) => {
      if (node.tag !== "binary" || node.op !== "times") return node;
      const [left, right] = node.args;
      if (!isSigmoid(left) || !isSigmoid(right)) return node;
      const [x] = left.args;
      const [minusX] = right.args;
      if (minusX?.tag !== "unary" || minusX.op !== "neg" || minusX.args[0] !== x) return node;
      return binary("times", left, binary("minus", constant(1), oneFloat(left)));
    },
    topological(roots),
  );
