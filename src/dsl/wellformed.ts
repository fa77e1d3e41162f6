// What makes an objective well formed: responses with names of their own, a loss and metrics that are real and
// one per example at most, a next value for each state, and inputs that a batch can tell apart. Each rule ends in a sentence of its own.

import { describeAxis, type Axis } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { nameOf } from "./axes.ts";
import { checkName, describe } from "./check.ts";
import { didYouMean } from "../core/names.ts";
import { operand } from "./facade.ts";
import { cite } from "../core/quote.ts";

/** Checks the responses that an objective declares; `where` begins the sentence of the error. */
export function checkResponses(where: string, names: unknown): void {
  if (!Array.isArray(names)) {
    return fail(
      "responses-not-a-list",
      `${where}: the responses are ${describe(names)}; give a list of names such as ["w", "l"].`,
    );
  }
  if (names.length === 0)
    fail("responses-missing", `${where}: it declares no response; name at least one, such as "w".`);
  for (const name of names) checkName(`${where}: a response`, name);
  const twice = names.find((name, position) => names.indexOf(name) !== position);
  if (twice !== undefined)
    fail(
      "response-twice",
      `${where}: the response ${cite(twice)} is declared twice; give each its own name.`,
    );
}

/** Checks a loss or a metric: a real number, one per example at most. */
export function result(where: string, what: string, value: unknown): Node {
  if (value === undefined)
    return fail(
      "returns-nothing",
      `${where}: ${what} is undefined; return an expression from the formula.`,
    );
  const { node, axes } = operand(where, what, value);
  const left = axes.find((axis: Axis) => axis !== "batch");
  if (left !== undefined) {
    fail(
      "axis-left-over",
      `${where}: ${what} still ranges over ${describeAxis(left)}; reduce it first, e.g. sum("${nameOf(axes.at(-1)!)}", …).`,
    );
  }
  return node;
}

/** Checks the next value of a state: one real number. */
export function nextValue(where: string, name: string, value: unknown): Node {
  const what = `the next value of the state ${cite(checkName(`${where}: a state`, name))}`;
  const node = result(where, what, value);
  if (node.axes.length > 0) {
    fail(
      "state-per-example",
      `${where}: ${what} is one number per example; reduce it first, e.g. mean("batch", …).`,
    );
  }
  return node;
}

/** The initial value of each state that is read. Each must have a next value, and only those. */
export function stateRead(
  where: string,
  next: readonly string[],
  roots: readonly Node[],
): Readonly<Record<string, number>> {
  const read = new Map<string, number>();
  for (const node of topological(roots)) {
    if (node.tag === "param" && node.kind === "state") read.set(node.name, node.initial!);
  }
  const kept = [...read.keys()].find((name) => !next.includes(name));
  if (kept !== undefined) {
    fail(
      "state-without-next",
      `${where}: the state ${cite(kept)} has no next value; return { loss, next: { ${cite(kept)}: … } }.`,
    );
  }
  const unread = next.find((name) => !read.has(name));
  if (unread !== undefined) {
    fail(
      "unknown-state",
      `${where}: a next value is given for ${cite(unread)}, but no state of that name is read; read state(${cite(unread)}, …) or leave it out.${didYouMean(unread, [...read.keys()])}`,
    );
  }
  return Object.fromEntries(next.map((name) => [name, read.get(name)!]));
}

/** Two inputs of one name and different shapes cannot both be found in a batch. */
export function checkInputs(where: string, roots: readonly Node[]): void {
  const known = new Map<string, Node>();
  for (const node of topological(roots)) {
    if (node.tag !== "input") continue;
    const other = known.get(node.name) ?? node;
    if (other.tag === "input" && other.learned !== node.learned)
      fail(
        "input-names-collide",
        `${where}: ${cite(node.name)} is read as learned and as data; say { learned: true } wherever it is read, or nowhere.`,
      );
    if (other !== node)
      fail(
        "input-names-collide",
        `${where}: two different inputs are both called ${cite(node.name)}; rename one.`,
      );
    known.set(node.name, node);
  }
}
