// A rewrite rule is data: a pattern and a result, both built with the constructors of the core over pattern variables.
// Because a pattern can be instantiated as well as matched, one property test can prove every rule. A rule may bind
// axes, so that one rule serves batch, token and vocab, and may compute new constants from the ones it matched.

import type { Axis } from "../core/axis.ts";
import { tokenAxis } from "../core/axis.ts";
import { at, constant, count, input, iota, reduce, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type DType, type Node } from "../core/node.ts";
import { descends } from "./termination.ts";

export type Interval = readonly [number, number];

/** What a pattern variable may stand for. */
export interface Variable {
  readonly name: string;
  readonly dtype: DType;
  /** Matches constants only. */
  readonly constant: boolean;
  /** An axis variable that the matched expression must not depend on. */
  readonly without: Axis | undefined;
  /** The only axes that the matched expression may have. */
  readonly within: readonly Axis[] | undefined;
  /** Values for which the rule is claimed; the proving test draws from it. */
  readonly domain: Interval;
}

export interface Bindings {
  readonly nodes: ReadonlyMap<Node, Node>;
  readonly axes: ReadonlyMap<Axis, Axis>;
}

/** A constant of the result, computed from the constants that the pattern matched. */
export interface Computed {
  readonly target: Node;
  readonly value: (of: (variable: Node) => number) => number;
}

export interface Rule {
  readonly name: string;
  readonly pattern: Node;
  readonly result: Node;
  /** Side condition on what the variables matched. */
  readonly when: ((of: (variable: Node) => Node) => boolean) | undefined;
  readonly compute: readonly Computed[];
  /** The variables of the pattern. */
  readonly variables: readonly Node[];
  /** The nodes of the result, arguments first. */
  readonly order: readonly Node[];
}

// Variables are inputs without axes; what they stand for is kept beside them.
const variables = new Map<Node, Variable>();
const axisVariables = new Set<Axis>();

/** What a node of a pattern stands for, if it is a variable. */
export function variableOf(node: Node): Variable | undefined {
  return variables.get(node);
}

export function isAxisVariable(axis: Axis): boolean {
  return axisVariables.has(axis);
}

export interface VariableOptions {
  readonly dtype?: DType;
  readonly constant?: boolean;
  readonly without?: Axis;
  readonly within?: readonly Axis[];
  readonly domain?: Interval;
}

/** A pattern variable; the same name with the same options is the same variable. */
export function variable(name: string, options: VariableOptions = {}): Node {
  const dtype = options.dtype ?? "f32";
  const description: Variable = {
    name,
    dtype,
    constant: options.constant ?? false,
    without: options.without,
    within: options.within,
    domain: options.domain ?? (dtype === "bool" ? [0, 1] : [-4, 4]),
  };
  const node = input(`?${JSON.stringify(description)}`, [], dtype);
  variables.set(node, description);
  return node;
}

/** A variable that stands for an axis. */
export function axisVariable(name: string): Axis {
  const axis = tokenAxis(`?${name}`);
  axisVariables.add(axis);
  return axis;
}

export interface RuleOptions {
  readonly when?: (of: (variable: Node) => Node) => boolean;
  readonly compute?: readonly Computed[];
}

/**
 * Makes a rule. Throws PrefcError "rule-ill-formed" when the result cannot be built from what the pattern binds, or has
 * another type than the pattern, and "rule-does-not-descend" when it does not lower the termination order.
 */
export function rule(name: string, pattern: Node, result: Node, options: RuleOptions = {}): Rule {
  const compute = options.compute ?? [];
  const bound = topological([pattern]).filter((node) => variables.has(node));
  const known = new Set<Node>([...bound, ...compute.map((one) => one.target)]);
  const order = topological([result]);
  const unbound = order.find((node) => variables.has(node) && !known.has(node));
  if (variables.has(pattern) || pattern.tag === "const") {
    fail(
      "rule-ill-formed",
      `rule "${name}": the pattern is a bare variable or constant; give it an operator.`,
    );
  }
  if (unbound !== undefined) {
    fail(
      "rule-ill-formed",
      `rule "${name}": the pattern does not bind "${variables.get(unbound)!.name}", which the result uses; bind it or leave it out.`,
    );
  }
  if (pattern.dtype !== result.dtype) {
    fail(
      "rule-ill-formed",
      `rule "${name}": the pattern is ${pattern.dtype}, but the result is ${result.dtype}; give both one type.`,
    );
  }
  if (!descends(pattern, result, (node) => variables.has(node) && !variables.get(node)!.constant)) {
    fail(
      "rule-does-not-descend",
      `rule "${name}": its result is not below its pattern in the termination order, so rewriting could go on forever; ` +
        `turn the rule round or see src/rewrite/termination.ts.`,
    );
  }
  return { name, pattern, result, when: options.when, compute, variables: bound, order };
}

/** Builds a term with its variables replaced; `order` lists the nodes of the term, arguments first. */
export function instantiate(term: Node, order: readonly Node[], bindings: Bindings): Node {
  const axis = (one: Axis): Axis => bindings.axes.get(one) ?? one;
  const made = new Map<Node, Node>();
  for (const node of order) {
    const args = node.args.map((arg) => made.get(arg)!);
    const [a, b] = args as readonly Node[] as readonly [Node, Node];
    switch (node.tag) {
      case "reduce":
        made.set(node, reduce(node.op, axis(node.axis), a));
        break;
      case "at":
        made.set(node, at(a, axis(node.axis), b));
        break;
      case "iota":
        made.set(node, iota(axis(node.axis)));
        break;
      case "count":
        made.set(node, count(axis(node.axis)));
        break;
      case "const":
      case "param":
      case "input":
      case "unary":
      case "binary":
      case "select":
      case "sort":
      case "stop":
        made.set(node, bindings.nodes.get(node) ?? withArgs(node, args));
    }
  }
  return made.get(term)!;
}

/** The bindings extended by the computed constants; undefined when one of them is not finite. */
export function withComputed(
  compute: readonly Computed[],
  bindings: Bindings,
): Bindings | undefined {
  if (compute.length === 0) return bindings;
  const nodes = new Map(bindings.nodes);
  for (const { target, value } of compute) {
    const result = value((one) => {
      const node = nodes.get(one);
      return node?.tag === "const" ? node.value : Number.NaN;
    });
    if (!Number.isFinite(result)) return undefined;
    // adding zero turns −0 into 0
    nodes.set(target, constant(result + 0, target.dtype));
  }
  return { nodes, axes: bindings.axes };
}
