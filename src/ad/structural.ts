// Derivatives of the terms that bind, choose or replace index variables. These rules are structural: they move
// a cotangent between index spaces and never look at values beyond the comparisons written here.

import { describeAxis, isPairOf, isTokenAxis, type Axis } from "../core/axis.ts";
import { at, binary, constant, iota, select, sort, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { At, Node, Reduce, Select } from "../core/node.ts";
import { sortOps } from "../core/ops.ts";
import { smart, sumOver } from "../core/smart.ts";
import type { Contributions } from "./elementwise.ts";

/**
 * Σ passes its cotangent on, since ignoring the bound variable is weakening. max shares it among the terms that
 * reach the maximum, equally, as PyTorch's amax does. log Σ e^a weighs a term by its part of the sum, e^{a − n}.
 */
export function reduceContributions(node: Reduce, cotangent: Node): Contributions {
  const [operand] = node.args;
  switch (node.op) {
    case "sum":
      return [cotangent];
    case "max": {
      const reached = unary("toReal", binary("eq", operand, node));
      const share = binary("over", cotangent, sumOver(node.axis, reached));
      return [smart.times(share, reached)];
    }
    case "logSumExp":
      return [smart.times(cotangent, unary("exp", binary("minus", operand, node)))];
  }
}

/** The other axis over the same responses that a substitution puts in the place of one; null where it does not. */
export function renamedAxis(node: Node): Axis | null {
  if (node.tag !== "at") return null;
  const [, index] = node.args;
  return index.tag === "iota" && isPairOf(node.axis, index.axis) ? index.axis : null;
}

/** The cotangent read through the inverse of a permutation of the batch; undefined when the index is no permutation. */
function permutedBack(index: Node, cotangent: Node): Node | undefined {
  if (index.tag !== "sort") return undefined;
  // a cotangent that is the same for all examples stays so under any permutation
  if (!cotangent.axes.includes(index.axis)) return cotangent;
  const inverse = sort(sortOps[index.op].inverse, index.axis, index.args[0]);
  return at(cotangent, index.axis, inverse);
}

/**
 * body[axis := index] passes its cotangent to the entry that was read: a choice by comparison, never a scatter. What
 * was sorted gets its cotangent through the inverse permutation: Σ_i g(i) x(order(i)) = Σ_j g(rank(j)) x(j).
 * @throws PrefcError "gradient-of-at" if the bound variable also remains free outside and the index is no permutation, or
 * the index differs between the tokens of another response, since no expression ranges over two.
 */
export function atContributions(node: At, cotangent: Node): Contributions {
  const [body, index] = node.args;
  if (!body.axes.includes(node.axis)) return [cotangent, null];
  if (node.axes.includes(node.axis)) {
    const back = permutedBack(index, cotangent);
    return back !== undefined
      ? [back, null]
      : fail(
          "gradient-of-at",
          `at: the index into ${describeAxis(node.axis)} itself ranges over ${describeAxis(node.axis)}, and only an order of the batch has a gradient there; sort along the batch, or stop the gradient of what is picked from.`,
        );
  }
  // the value of the other response of a pair: its cotangent is that of the same pair seen from the other side
  const renamed = renamedAxis(node);
  if (renamed !== null) return [at(cotangent, renamed, iota(node.axis)), null];
  const others = isTokenAxis(node.axis) ? index.axes.find(isTokenAxis) : undefined;
  if (others !== undefined) {
    fail(
      "gradient-of-at",
      `at: the index into ${describeAxis(node.axis)} ranges over ${describeAxis(others)}, and no expression ranges over the tokens of two responses; use an index that is the same for all tokens of an example, or stop the gradient of what is picked from.`,
    );
  }
  const here = binary("eq", iota(node.axis), index);
  return [select(here, cotangent, constant(0)), null];
}

/** A choice passes its cotangent to the branch that was taken. */
export function selectContributions(node: Select, cotangent: Node): Contributions {
  const [condition] = node.args;
  return [
    null,
    select(condition, cotangent, constant(0)),
    // written with the zero first, so that the condition stays as the author wrote it
    select(condition, constant(0), cotangent),
  ];
}
