// Values of run-time scalars, hyper-parameters and state alike: which ones an expression needs, whether the given
// ones fit, and what to say when they do not.

import { fail } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import { inRange, rangeText } from "../core/range.ts";
import { topological, type Node, type Param } from "../core/node.ts";
import type { Params } from "./batch.ts";
import { requireRecord } from "./record.ts";
import { cite, mention } from "../core/quote.ts";

/**
 * The value of a parameter or state: the given one, else its default or initial value.
 * @throws PrefcError "missing-parameter" if there is neither, "parameter-not-finite" or "state-not-finite" if it is not
 * a finite number, "parameter-out-of-range".
 */
export function parameterValue(node: Param, params: Params): number {
  requireRecord(params, "params");
  const value = Object.hasOwn(params, node.name)
    ? (params[node.name] ?? node.initial)
    : node.initial;
  if (value === undefined) {
    return fail(
      "missing-parameter",
      `The objective needs a value for parameter ${cite(node.name)}, which has no default; give it as { ${cite(node.name)}: … }.`,
    );
  }
  if (typeof value !== "number" || !Number.isFinite(value)) {
    if (node.kind === "state") {
      return fail(
        "state-not-finite",
        `State ${cite(node.name)} is ${cite(value)}; give the finite number that the step before returned.`,
      );
    }
    return fail(
      "parameter-not-finite",
      `Parameter ${cite(node.name)} is ${cite(value)}; give a finite number.`,
    );
  }
  if (!inRange(node.range, value)) {
    return fail(
      "parameter-out-of-range",
      `Parameter ${cite(node.name)} is ${value}; give a number ${rangeText(node.range)}.`,
    );
  }
  return value;
}

/** The parameters or the states below the roots, each once. */
function scalarsBelow(roots: readonly Node[], kind: Param["kind"]): readonly Param[] {
  return topological(roots).filter(
    (node): node is Param => node.tag === "param" && node.kind === kind,
  );
}

/**
 * Checks that every parameter below the roots has a value and that every given name is one below `written`: the objective as
 * it was written, of which metrics may have been left out with what only they read.
 * @throws PrefcError "unknown-parameter", "missing-parameter" or "parameter-not-finite".
 */
export function checkParams(
  roots: readonly Node[],
  params: Params,
  written: readonly Node[] = roots,
): void {
  requireRecord(params, "params");
  const needed = scalarsBelow(roots, "param");
  const names = scalarsBelow(written, "param").map((node) => node.name);
  const states = scalarsBelow(written, "state").map((node) => node.name);
  for (const name of Object.keys(params)) {
    if (names.includes(name)) continue;
    if (states.includes(name)) {
      fail(
        "unknown-parameter",
        `${cite(name)} is no parameter of the objective but its state; give it as state: { ${cite(name)}: … }.`,
      );
    }
    const takes =
      names.length === 0 ? "it takes none" : `it takes ${names.map(mention).join(", ")}`;
    fail(
      "unknown-parameter",
      `The objective has no parameter ${cite(name)} (${takes}).${didYouMean(name, names)}`,
    );
  }
  for (const node of needed) parameterValue(node, params);
}

/**
 * The state that a step begins with: the given one, or the initial values when none is given. What only `written` reads may
 * be given and is left out, as parameters may.
 * @throws PrefcError "unknown-state", "missing-state" or "state-not-finite".
 */
export function stateOf(
  roots: readonly Node[],
  given: Params | undefined,
  written: readonly Node[] = roots,
): Params {
  if (given !== undefined) requireRecord(given, "state");
  const states = scalarsBelow(roots, "state");
  const names = states.map((node) => node.name);
  const known = scalarsBelow(written, "state").map((node) => node.name);
  for (const name of Object.keys(given ?? {})) {
    if (known.includes(name)) continue;
    const has = known.length === 0 ? "it has none" : `it has ${known.map(mention).join(", ")}`;
    fail(
      "unknown-state",
      `The objective has no state ${cite(name)} (${has}).${didYouMean(name, known)}`,
    );
  }
  const isGiven = (name: string): boolean =>
    given === undefined || (Object.hasOwn(given, name) && (given[name] ?? null) !== null);
  const missing = names.find((name) => !isGiven(name));
  if (missing !== undefined) {
    fail(
      "missing-state",
      `The state has no ${cite(missing)}; give the whole state that the step before returned, or none for the first step.`,
    );
  }
  return Object.fromEntries(
    states.map((node) => [node.name, parameterValue(node, given ?? {})] as const),
  );
}
