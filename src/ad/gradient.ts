// Reverse mode on expressions. Going from the root to its arguments, each node passes its cotangent on by a local
// rule, and a contribution is summed over every index variable that the argument does not have: that is the whole
// transpose of broadcasting. The result is ordinary core, so it can be printed, rewritten, compiled and
// differentiated again.

import { unionAxes, type Axis } from "../core/axis.ts";
import { constant } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { isConstant, smart, sumOver } from "../core/smart.ts";
import { binaryContributions, unaryContributions, type Contributions } from "./elementwise.ts";
import {
  atContributions,
  reduceContributions,
  renamedAxis,
  selectContributions,
} from "./structural.ts";

function contributions(node: Node, cotangent: Node): Contributions {
  switch (node.tag) {
    case "unary":
      return unaryContributions(node, cotangent);
    case "binary":
      return binaryContributions(node, cotangent);
    case "select":
      return selectContributions(node, cotangent);
    case "reduce":
      return reduceContributions(node, cotangent);
    case "at":
      return atContributions(node, cotangent);
    case "const":
    case "param":
    case "input":
    case "iota":
    case "count":
    case "sort":
    case "stop":
      return [];
  }
}

/** The index variables that a contribution of the node to its arguments is a function of. */
function scopeOf(node: Node): readonly Axis[] {
  const binds =
    node.tag === "reduce" || (node.tag === "at" && node.args[0].axes.includes(node.axis));
  if (!binds) return node.axes;
  const renamed = renamedAxis(node);
  return unionAxes(
    node.axes.filter((axis) => axis !== renamed),
    [node.axis],
  );
}

/** Sums over the variables of `scope` that `target` lacks: vocabulary first, and tokens before their examples. */
function sumOut(contribution: Node, scope: readonly Axis[], target: Node): Node {
  return scope
    .filter((axis) => !target.axes.includes(axis))
    .toReversed()
    .reduce((sum, axis) => sumOver(axis, sum), contribution);
}

/** The nodes through which a gradient can reach one of `wrt`. */
function dependents(order: readonly Node[], wrt: readonly Node[]): ReadonlySet<Node> {
  const reached = new Set(wrt);
  for (const node of order) {
    const real = node.tag !== "stop" && node.dtype === "f32";
    if (real && node.args.some((arg) => reached.has(arg))) reached.add(node);
  }
  return reached;
}

/**
 * The derivative of a scalar expression with respect to each of `wrt`, which are inputs, parameters or any nodes
 * below the root. Result i ranges over axes within those of wrt[i]; it is the constant 0 if the root does not depend on it.
 * Source: reverse-mode accumulation (Linnainmaa 1970), on expressions with named index variables.
 * @throws PrefcError "gradient-of-non-scalar" if the root has axes, "gradient-of-at" for a permutation by index.
 */
export function gradient(root: Node, wrt: readonly Node[]): readonly Node[] {
  if (root.axes.length > 0 || root.dtype !== "f32") {
    fail(
      "gradient-of-non-scalar",
      `gradient: the expression is ${root.dtype} over {${root.axes.join(", ")}}, but only a real scalar has a gradient; reduce it first, e.g. mean("batch", …).`,
    );
  }
  const order = topological([root]);
  const reached = dependents(order, wrt);
  const cotangents = new Map<Node, Node>([[root, constant(1)]]);

  for (const node of order.toReversed()) {
    const cotangent = cotangents.get(node);
    if (cotangent === undefined || !reached.has(node) || isConstant(cotangent, 0)) continue;
    const scope = scopeOf(node);
    contributions(node, cotangent).forEach((contribution, position) => {
      const arg = node.args[position]!;
      if (contribution === null || !reached.has(arg)) return;
      const summed = sumOut(contribution, scope, arg);
      const known = cotangents.get(arg);
      cotangents.set(arg, known === undefined ? summed : smart.plus(known, summed));
    });
  }
  return wrt.map((node) => cotangents.get(node) ?? constant(0));
}
