// Numbers in an objective: hyper-parameters, which are known when it runs, and constants, which are known
// when it is written.

import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { checkName, describe } from "./check.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";

/** A run-time hyper-parameter with an optional default: changing its value compiles nothing. */
export function param(name: string, initial?: number): Expr {
  checkName("param", name);
  if (initial !== undefined && (typeof initial !== "number" || !Number.isFinite(initial))) {
    fail(
      "parameter-not-finite",
      `param ${JSON.stringify(name)}: the default is ${describe(initial)}; give a finite number or none.`,
    );
  }
  return wrap(core.param(name, initial));
}

/** A number as an expression, for a formula that begins with one: constant(1).minus(epsilon). */
export function constant(value: number): Expr {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    fail("number-not-finite", `constant: the value is ${describe(value)}; write a finite number.`);
  }
  return wrap(core.constant(value));
}

/**
 * Makes each parameter one node: where it is written without a default, it gets the one it has elsewhere.
 * Fails when it is written with two different ones.
 */
export function unifyParams(where: string, roots: readonly Node[]): readonly Node[] {
  const order = topological(roots);
  const defaults = new Map<string, number>();
  for (const node of order) {
    if (node.tag !== "param" || node.initial === undefined) continue;
    const known = defaults.get(node.name);
    if (known !== undefined && known !== node.initial) {
      fail(
        "parameter-defaults-differ",
        `${where}: the parameter ${JSON.stringify(node.name)} has two defaults, ${known} and ${node.initial}; give it one.`,
      );
    }
    defaults.set(node.name, node.initial);
  }
  return core.substitute(
    roots,
    (node) => (node.tag === "param" ? core.param(node.name, defaults.get(node.name)) : node),
    order,
  );
}
