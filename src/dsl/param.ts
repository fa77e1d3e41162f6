// Numbers in an objective: constants, which are known when it is written, hyper-parameters, which are known when it
// runs, and state, which the step before has left.

import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { narrowed, type NumberRange } from "../core/range.ts";
import { checkName, checkOptions, describe } from "./check.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { cite } from "../core/quote.ts";

const kinds = {
  from: "number",
  above: "number",
  to: "number",
  below: "number",
  learned: "boolean",
} as const;

/** What a parameter may be, and whether it is learned. */
export interface ParamOptions extends NumberRange {
  /** Whether the gradient is taken with respect to it: it comes back under "param.NAME". */
  readonly learned?: boolean;
}

/**
 * A run-time hyper-parameter with an optional default: changing its value compiles nothing. One that is learned, such as a
 * temperature, has a gradient.
 * @param options what its value may be, such as `{ above: 0 }`; any finite number when left out
 * @throws PrefcError parameter-not-finite, parameter-out-of-range for the default, unknown-option
 */
export function param(name: string, initial?: number, options: ParamOptions = {}): Expr {
  checkName("param", name);
  checkOptions(`param ${cite(name)}`, kinds, options, { example: "{ above: 0 }" });
  if (initial !== undefined && (typeof initial !== "number" || !Number.isFinite(initial))) {
    fail(
      "parameter-not-finite",
      `param ${cite(name)}: the default is ${describe(initial)}; give a finite number or none.`,
    );
  }
  const { learned = false, ...range } = options;
  return wrap(core.param(name, initial, range, learned));
}

/**
 * A number that one step leaves for the next, such as a running mean; `initial` before the first step. It is data to the
 * gradient. The formula returns its next value under the same name: `{ loss, next: { mean: … } }`.
 */
export function state(name: string, initial: number): Expr {
  checkName("state", name);
  if (typeof initial !== "number" || !Number.isFinite(initial)) {
    fail(
      "state-not-finite",
      `state ${cite(name)}: the initial value is ${describe(initial)}; give a finite number.`,
    );
  }
  return wrap(core.state(name, initial));
}

/** A number as an expression, for a formula that begins with one: constant(1).minus(epsilon). */
export function constant(value: number): Expr {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    fail("number-not-finite", `constant: the value is ${describe(value)}; write a finite number.`);
  }
  return wrap(core.constant(value));
}

const nouns = {
  param: { one: "parameter", value: "default", differ: "parameter-defaults-differ" },
  state: { one: "state", value: "initial value", differ: "state-defaults-differ" },
} as const;

/**
 * Makes each parameter one node: where it is written without a default, it gets the one it has elsewhere, and
 * it may be only what is within the range of each.
 * Fails when it is written with two different ones, and when a parameter and a state share a name.
 */
export function unifyParams(where: string, roots: readonly Node[]): readonly Node[] {
  const order = topological(roots);
  const learned = new Set(
    order.flatMap((node) => (node.tag === "param" && node.learned ? [node.name] : [])),
  );
  const tags = new Map<string, string>();
  const defaults = new Map<string, number>();
  const ranges = new Map<string, NumberRange>();
  for (const node of order) {
    if (node.tag !== "param") continue;
    const name = cite(node.name);
    if ((tags.get(node.name) ?? node.kind) !== node.kind)
      fail("name-of-two", `${where}: a parameter and a state are both called ${name}; rename one.`);
    tags.set(node.name, node.kind);
    ranges.set(node.name, narrowed(ranges.get(node.name) ?? {}, node.range));
    if (node.initial === undefined) continue;
    const known = defaults.get(node.name);
    if (known !== undefined && known !== node.initial) {
      const { one, value, differ } = nouns[node.kind];
      fail(
        differ,
        `${where}: the ${one} ${name} has two ${value}s, ${known} and ${node.initial}; give it one.`,
      );
    }
    defaults.set(node.name, node.initial);
  }
  return core.substitute(
    roots,
    (node) =>
      node.tag === "param" && node.kind === "param"
        ? core.param(
            node.name,
            defaults.get(node.name),
            ranges.get(node.name),
            learned.has(node.name),
          )
        : node,
    order,
  );
}
