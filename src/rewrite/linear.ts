// Sums seen as linear forms. Nested additions, negations and multiplications by constants of f32 nodes flatten into
// Σ cᵢ·nodeᵢ + constant, in which like terms meet and cancel; the stream derivation reads exponents this way.

import { constant } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import { nodes } from "../core/smart.ts";

const { minus, neg, plus, times } = nodes;

/** Σ cᵢ·nodeᵢ + constant, without zero coefficients; the terms are in order of first appearance. */
export interface LinearForm {
  readonly constant: number;
  readonly terms: ReadonlyMap<Node, number>;
}

/** The operands of a node that is linear in them, each with its coefficient; undefined where it is a term itself. */
function linearStep(node: Node): readonly (readonly [Node, number])[] | undefined {
  if (node.dtype !== "f32") return undefined;
  if (node.tag === "unary" && node.op === "neg") return [[node.args[0], -1]];
  if (node.tag !== "binary") return undefined;
  const [a, b] = node.args;
  switch (node.op) {
    case "plus":
      return [
        [a, 1],
        [b, 1],
      ];
    case "minus":
      return [
        [a, 1],
        [b, -1],
      ];
    case "times":
      if (a.tag === "const") return [[b, a.value]];
      return b.tag === "const" ? [[a, b.value]] : undefined;
    case "over":
      return b.tag === "const" && b.value !== 0 ? [[a, 1 / b.value]] : undefined;
    default:
      return undefined;
  }
}

/** The linear part of the graph above its terms, users before arguments. */
function linearPart(root: Node): readonly Node[] {
  const part: Node[] = [];
  const left = new Map<Node, number>([[root, 1]]);
  // how often each node of the part is used by the part, so that its coefficient is complete before it is passed on
  const seen = new Set<Node>([root]);
  const pending = [root];
  while (pending.length > 0) {
    const node = pending.pop()!;
    for (const [arg] of linearStep(node) ?? []) {
      left.set(arg, (left.get(arg) ?? 0) + 1);
      if (!seen.has(arg)) {
        seen.add(arg);
        pending.push(arg);
      }
    }
  }
  const ready = [root];
  while (ready.length > 0) {
    const node = ready.pop()!;
    part.push(node);
    for (const [arg] of (linearStep(node) ?? []).toReversed()) {
      const uses = left.get(arg)! - 1;
      left.set(arg, uses);
      if (uses === 0) ready.push(arg);
    }
  }
  return part;
}

/** Reads an f32 node as a linear form; a node that is no sum, or whose coefficients no number holds, is the form 1·node. */
export function linearForm(root: Node): LinearForm {
  const coefficients = new Map<Node, number>([[root, 1]]);
  const terms = new Map<Node, number>();
  let sum = 0;
  for (const node of linearPart(root)) {
    const coefficient = coefficients.get(node)!;
    const step = linearStep(node);
    if (step !== undefined) {
      for (const [arg, factor] of step)
        coefficients.set(arg, (coefficients.get(arg) ?? 0) + coefficient * factor);
    } else if (node.tag === "const" && node.dtype === "f32") {
      sum += coefficient * node.value;
    } else if (coefficient !== 0) {
      terms.set(node, coefficient);
    }
  }
  const isHeld = Number.isFinite(sum) && [...terms.values()].every(Number.isFinite);
  return isHeld ? { constant: sum + 0, terms } : { constant: 0, terms: new Map([[root, 1]]) };
}

/** Writes a linear form as a sum: positive terms first, subtraction for negative ones, the constant last. */
export function fromLinearForm(form: LinearForm): Node {
  const scaled = (node: Node, size: number): Node =>
    size === 1 ? node : times(constant(size), node);
  const entries = [...form.terms].filter(([, coefficient]) => coefficient !== 0);
  const ordered = [
    ...entries.filter(([, one]) => one > 0),
    ...entries.filter(([, one]) => one < 0),
  ];
  let total: Node | undefined;
  for (const [node, coefficient] of ordered) {
    const term = scaled(node, Math.abs(coefficient));
    if (coefficient > 0) total = total === undefined ? term : plus(total, term);
    else if (total !== undefined) total = minus(total, term);
    else total = coefficient === -1 ? neg(node) : times(constant(coefficient), node);
  }
  if (total === undefined) return constant(form.constant);
  if (form.constant === 0) return total;
  return form.constant > 0
    ? plus(total, constant(form.constant))
    : minus(total, constant(-form.constant));
}
