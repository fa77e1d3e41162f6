// An objective: a named loss over the responses it declares. The compiler reads the core nodes; the formula
// itself is kept as well, so that combinators can build a new objective from an old one.

import { fail } from "../core/error.ts";
import { isInterned } from "../core/intern.ts";
import { topological, type Node } from "../core/node.ts";
import type { PerExample } from "./axes.ts";
import { checkName, describe } from "./check.ts";
import type { Expr } from "./expr.ts";
import { withComparisons } from "./facade.ts";
import type { Declared } from "./declared.ts";
import { changedGiven, declaredBy, given, type Given } from "./given.ts";
import { noReference } from "./model.ts";
import { checkModels } from "./models.ts";
import { unifyParams } from "./param.ts";
import { split } from "./returned.ts";
import { checkInputs, checkResponses, nextValue, result, stateRead } from "./wellformed.ts";
import { cite } from "../core/quote.ts";

/** Named quantities to report beside the loss; one per example means their average over the batch. */
export type Metrics = Readonly<Record<string, Expr<PerExample>>>;

/** The next value of each state by its name: numbers, which may depend on the batch. */
export type Next = Readonly<Record<string, Expr>>;

/** A loss, averaged over the batch if it is one per example, what to report beside it, and the state it leaves. */
export interface Definition {
  readonly loss: Expr<PerExample>;
  readonly metrics: Metrics;
  readonly next: Next;
}

/** What a formula returns when it is more than the loss. */
export interface LossAndMetrics {
  readonly loss: Expr<PerExample>;
  readonly metrics?: Metrics | undefined;
  /** Needed for every state that the formula reads. */
  readonly next?: Next | undefined;
}

/** What the compiler reads. */
export interface Objective {
  readonly name: string;
  readonly responses: readonly string[];
  /** The models that it declares beside "policy" and "ref". */
  readonly models: readonly string[];
  /** Axes [batch], which means the average over the batch, or none. */
  readonly loss: Node;
  /** By name; axes [batch], which means the average over the batch, or none. */
  readonly metrics: Readonly<Record<string, Node>>;
  /** The next value of each state; no axes. */
  readonly next: Readonly<Record<string, Node>>;
  /** Which values its inputs have, by input name, where it says so: what `check` draws. */
  readonly declared: Declared;
  /** Comparisons that the formula makes and that decide nothing. */
  readonly unused: readonly Node[];
  /** The initial value of each state: what the first step is given. */
  readonly state: Readonly<Record<string, number>>;
  /** Paper and equation. */
  readonly source: string;
}

/** An objective together with its formula, for combinators. */
export interface ObjectiveOf<R extends string> extends Objective {
  readonly responses: readonly R[];
  readonly define: (given: Given<R>) => Definition;
}

/** What is known of an objective besides its formula. */
export interface About<R extends string, M extends string = never> {
  /** Paper and equation. */
  readonly source: string;
  /** Models beside the policy and the reference, which the formula finds under these names: data, such as "teacher". */
  readonly models?: readonly M[];
  /** What to report beside the loss. */
  readonly metrics?: (given: Given<R, M>) => Metrics;
}

/** A formula: the loss alone, or the loss with metrics. */
export type Build<R extends string, M extends string = never> = (
  given: Given<R, M>,
) => Expr<PerExample> | LossAndMetrics;

const made = new WeakSet<object>();

/** Everything that an objective computes, as it was written: before metrics are left out or models bound. */
export const writtenRoots = ({ loss, metrics, next }: Objective): readonly Node[] => [
  loss,
  ...Object.values(metrics),
  ...Object.values(next),
];

/** Whether a value was made by `objective` of this copy of the package. */
export const isObjective = (value: unknown): value is Objective =>
  typeof value === "object" && value !== null && made.has(value);

/**
 * Checks that a value is an objective of this copy of the package; `where` begins the sentence.
 * @throws PrefcError not-an-objective
 */
export function requireObjective<T extends Objective>(where: string, value: T): T {
  // a copy with another name or source is one still, but nodes of another copy of the package are strangers here
  const unknown: unknown = value;
  if (isObjective(unknown) || (hasLoss(unknown) && isInterned(unknown.loss))) return value;
  const advice =
    typeof unknown === "function"
      ? "call it, as in dpo()"
      : unknown instanceof Promise
        ? "await it"
        : typeof unknown === "string"
          ? `write builtIn(${cite(unknown)})`
          : isForeign(unknown)
            ? "it was made by another copy of this package; import everything from one"
            : "give what objective(…) or a built-in such as dpo() returns";
  return fail(
    "not-an-objective",
    `${where}: the objective is ${describeObject(unknown)}; ${advice}.`,
  );
}

const isForeign = (value: unknown): boolean => hasLoss(value) && "responses" in value;
const hasLoss = (value: unknown): value is { readonly loss: Node } =>
  typeof value === "object" && value !== null && "loss" in value;

const describeObject = (value: unknown): string =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof Promise) &&
  !Array.isArray(value)
    ? "an object that is none"
    : describe(value);

/**
 * Names a loss. `build` receives the models, the responses `y` and the data of the examples, and returns the
 * loss (one number per example, or one in all), or `{ loss, metrics, next }`.
 * @throws PrefcError one sentence for anything that is not well formed.
 */
export function objective<const R extends string, const M extends string = never>(
  name: string,
  responses: readonly R[],
  build: Build<R, M>,
  about: About<R, M>,
): ObjectiveOf<R> {
  const where = `objective ${cite(checkName("objective", name))}`;
  checkResponses(where, responses);
  if (typeof build !== "function")
    fail(
      "formula-not-a-function",
      `${where}: the formula is ${describe(build)}; give a function of what is given.`,
    );
  if (typeof about?.source !== "string" || about.source.trim() === "") {
    fail(
      "source-missing",
      `${where}: no source is given; say where the formula comes from: { source: "paper, equation" }.`,
    );
  }
  const models = Object.freeze(checkModels(where, about.models));
  const define = (g: Given<R>): Definition => {
    // whoever calls this has made the given from `models`
    const all = g as Given<R, M>;
    const { loss, metrics, next } = split(where, build(all));
    return { loss, metrics: { ...about.metrics?.(all), ...metrics }, next };
  };
  return assemble(
    where,
    { name, responses: Object.freeze([...responses]), models, source: about.source, define },
    given(where, responses, models),
  );
}

function assemble<R extends string>(
  where: string,
  formula: Pick<ObjectiveOf<R>, "name" | "responses" | "models" | "source" | "define">,
  g: Given<R>,
): ObjectiveOf<R> {
  const [{ loss, metrics, next }, comparisons] = withComparisons(() => formula.define(g));
  const [names, states] = [Object.keys(metrics), Object.keys(next)];
  for (const name of names) checkName(`${where}: a metric`, name);
  if (names.includes("loss"))
    fail(
      "metric-name-reserved",
      `${where}: a metric is called "loss", which is always reported; rename it.`,
    );
  const checked = [
    result(where, "the loss", loss),
    ...names.map((name) => result(where, `the metric ${cite(name)}`, metrics[name])),
    ...states.map((name) => nextValue(where, name, next[name])),
  ];
  checkInputs(where, checked);
  const [root, ...reported] = unifyParams(where, [...checked, ...comparisons]);
  const compared = reported.splice(names.length + states.length);
  const following = reported.splice(names.length);
  const read = new Set(topological([root!, ...reported, ...following]));
  const initial = stateRead(where, states, [root!, ...reported, ...following]);
  const finished: ObjectiveOf<R> = Object.freeze({
    ...formula,
    loss: root!,
    metrics: Object.freeze(
      Object.fromEntries(names.map((name, position) => [name, reported[position]!])),
    ),
    next: Object.freeze(
      Object.fromEntries(states.map((name, position) => [name, following[position]!])),
    ),
    declared: declaredBy(g),
    unused: Object.freeze([...new Set(compared.filter((node) => !read.has(node)))]),
    state: Object.freeze(initial),
  });
  made.add(finished);
  return finished;
}

/** The same objective under another name. */
export function named<R extends string>(name: string, inner: ObjectiveOf<R>): ObjectiveOf<R> {
  const where = `objective ${cite(checkName("objective", name))}`;
  if (typeof (inner as Partial<ObjectiveOf<R>> | null)?.define !== "function")
    requireObjective(where, inner);
  const { responses, models, source, define } = inner;
  const formula = { name, responses, models, source, define };
  return assemble(where, formula, given(where, responses, models));
}

/** The same formula without a reference model: its log-probabilities are 0, so no reference is read. */
export const referenceFree = <R extends string>(inner: ObjectiveOf<R>): ObjectiveOf<R> =>
  named(`${requireObjective("referenceFree", inner).name} reference-free`, {
    ...inner,
    define: (g) => inner.define(changedGiven<Given<R>>(g, { ref: noReference })),
  });
