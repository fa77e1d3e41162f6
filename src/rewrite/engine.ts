// Applies rules bottom-up until none fits. Every node is brought to its normal form once and the answer is kept, so
// shared subexpressions cost nothing and stay shared; the work list is a stack of its own, so depth is no limit. That
// the process ends is a property of the rules (termination.ts), which `rule` has checked for each of them.

import type { Axis } from "../core/axis.ts";
import { withArgs } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import {
  instantiate,
  isAxisVariable,
  variableOf,
  withComputed,
  type Bindings,
  type Rule,
} from "./rule.ts";
import { isCommutative } from "./termination.ts";

export interface Rewritten {
  readonly roots: readonly Node[];
  /** How often each rule was applied, by name; rules that were not are absent. */
  readonly applied: ReadonlyMap<string, number>;
}

interface Trail {
  readonly nodes: Map<Node, Node>;
  readonly axes: Map<Axis, Axis>;
}

const head = (node: Node): string =>
  node.tag === "unary" || node.tag === "binary" || node.tag === "reduce" || node.tag === "sort"
    ? node.op
    : node.tag;

/** Binds an axis of the pattern to an axis of the term; false when they cannot be the same. */
function bindAxis(pattern: Axis, axis: Axis, trail: Trail): boolean {
  if (!isAxisVariable(pattern)) return pattern === axis;
  const known = trail.axes.get(pattern);
  if (known === undefined) trail.axes.set(pattern, axis);
  return known === undefined || known === axis;
}

/** Whether the attributes of two nodes of one tag agree. */
function sameHead(pattern: Node, node: Node, trail: Trail): boolean {
  if (pattern.dtype !== node.dtype) return false;
  switch (pattern.tag) {
    case "const":
      return node.tag === "const" && pattern.value === node.value;
    case "param":
    case "input":
      return pattern === node;
    case "iota":
    case "count":
      return node.tag === pattern.tag && bindAxis(pattern.axis, node.axis, trail);
    case "unary":
      return node.tag === "unary" && pattern.op === node.op;
    case "binary":
      return node.tag === "binary" && pattern.op === node.op;
    case "reduce":
      return (
        node.tag === "reduce" && pattern.op === node.op && bindAxis(pattern.axis, node.axis, trail)
      );
    case "sort":
      return node.tag === "sort" && pattern.op === node.op;
    case "at":
      return node.tag === "at" && bindAxis(pattern.axis, node.axis, trail);
    case "select":
    case "stop":
      return node.tag === pattern.tag;
  }
}

/** Binds a variable to a term, if the variable may stand for it. */
function bindVariable(pattern: Node, node: Node, trail: Trail): boolean {
  const known = trail.nodes.get(pattern);
  if (known !== undefined) return known === node;
  const { constant, without, within, dtype } = variableOf(pattern)!;
  if (dtype !== node.dtype || (constant && node.tag !== "const")) return false;
  if (without !== undefined && node.axes.includes(trail.axes.get(without)!)) return false;
  if (within !== undefined && !node.axes.every((axis) => within.includes(axis))) return false;
  trail.nodes.set(pattern, node);
  return true;
}

type Pairs = readonly (readonly [pattern: Node, node: Node])[];

/** Cheap and without bindings: false where the pattern certainly does not fit, which is nearly always. */
function mayMatch(pattern: Node, node: Node): boolean {
  if (pattern.dtype !== node.dtype) return false;
  const description = variableOf(pattern);
  if (description !== undefined) return !description.constant || node.tag === "const";
  if (pattern.tag === "const") return node.tag === "const" && node.value === pattern.value;
  if (head(pattern) !== head(node)) return false;
  const fits = (order: readonly Node[]): boolean =>
    pattern.args.every((arg, position) => mayMatch(arg, order[position]!));
  if (fits(node.args)) return true;
  return node.tag === "binary" && isCommutative(node.op) && fits(node.args.toReversed());
}

/**
 * All pairs must match under one binding; the operands of commutative operators are tried in both orders. The trail is
 * the caller's to lose: it may be left half filled when there is no match.
 */
function solve(
  pairs: Pairs,
  trail: Trail,
  accept: (bindings: Bindings) => Node | undefined,
): Node | undefined {
  const [pair, ...rest] = pairs;
  if (pair === undefined) return accept(trail);
  const [pattern, node] = pair;
  if (variableOf(pattern) !== undefined) {
    return bindVariable(pattern, node, trail) ? solve(rest, trail, accept) : undefined;
  }
  if (!sameHead(pattern, node, trail)) return undefined;
  const [a, b] = pattern.args;
  const [c, d] = node.args;
  if (pattern.tag === "binary" && isCommutative(pattern.op) && a && b && c && d) {
    const copy: Trail = { nodes: new Map(trail.nodes), axes: new Map(trail.axes) };
    return (
      solve([[a, c], [b, d], ...rest], trail, accept) ??
      solve([[a, d], [b, c], ...rest], copy, accept)
    );
  }
  const below = pattern.args.map((arg, position) => [arg, node.args[position]!] as const);
  return solve([...below, ...rest], trail, accept);
}

/** The result of applying one rule at the head of a term; undefined where it does not fit. */
export function applyRule(rule: Rule, node: Node): Node | undefined {
  if (!mayMatch(rule.pattern, node)) return undefined;
  return solve([[rule.pattern, node]], { nodes: new Map(), axes: new Map() }, (bindings) => {
    if (rule.when !== undefined && !rule.when((one) => bindings.nodes.get(one)!)) return undefined;
    const all = withComputed(rule.compute, bindings);
    return all === undefined ? undefined : instantiate(rule.result, rule.order, all);
  });
}

const indices = new WeakMap<readonly Rule[], ReadonlyMap<string, readonly Rule[]>>();

/** Rules by the head of their pattern, in the order given: the first that fits is applied. */
function byHead(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const ready = indices.get(rules);
  if (ready !== undefined) return ready;
  const index = new Map<string, Rule[]>();
  for (const rule of rules) {
    const key = head(rule.pattern);
    const known = index.get(key);
    if (known === undefined) index.set(key, [rule]);
    else known.push(rule);
  }
  indices.set(rules, index);
  return index;
}

/** Rewrites everything below the roots to the fixed point of the rules. */
export function rewrite(roots: readonly Node[], rules: readonly Rule[]): Rewritten {
  const index = byHead(rules);
  const applied = new Map<string, number>();
  const normal = new Map<Node, Node>();
  // what a node has become on its way to its normal form
  const next = new Map<Node, Node>();

  const step = (node: Node): Node => {
    for (const rule of index.get(head(node)) ?? []) {
      const result = applyRule(rule, node);
      if (result === undefined) continue;
      applied.set(rule.name, (applied.get(rule.name) ?? 0) + 1);
      return result;
    }
    return node;
  };

  for (const root of roots) {
    const stack: Node[] = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      if (normal.has(node)) {
        stack.pop();
        continue;
      }
      const successor = next.get(node);
      if (successor !== undefined) {
        const settled = normal.get(successor);
        if (settled === undefined) stack.push(successor);
        else normal.set(node, settled);
        continue;
      }
      const waiting = node.args.filter((arg) => !normal.has(arg));
      if (waiting.length > 0) {
        stack.push(...waiting.toReversed());
        continue;
      }
      const rebuilt = withArgs(
        node,
        node.args.map((arg) => normal.get(arg)!),
      );
      const result = rebuilt === node ? step(node) : rebuilt;
      if (result === node) normal.set(node, node);
      else next.set(node, result);
    }
  }
  return { roots: roots.map((root) => normal.get(root)!), applied };
}
