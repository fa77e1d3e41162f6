// The seam between a model and a loss: what an objective needs of each row of logits, and nothing else of them. Wherever an
// expression reduces the vocabulary, its value is one number per token; those numbers become inputs, named where they have a
// name, and what is left of the objective reads no logits. That is where trainers hand a loss its data.

import { gradient } from "../ad/gradient.ts";
import { tokenAxis } from "../core/axis.ts";
import { binary, count, input, reduce, substitute } from "../core/build.ts";
import { isDifferentiated, type ModelName } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { simplify } from "../rewrite/simplify.ts";
import { findStatistics, type Found } from "./find.ts";
import { lookupsInside } from "./labels.ts";

/** One number per completion token that a loss needs of a model, or of both models. */
export interface Statistic {
  /** TRL's name where it has one. */
  readonly name: string;
  /** How papers write it; for a statistic without a name its expression. */
  readonly formula: string;
  /** The models whose logits it is made of. */
  readonly models: readonly ModelName[];
  /** The responses of which it is needed; the prompt of "w" is "w.prompt". */
  readonly responses: readonly string[];
  /** Whether the gradient of the loss passes through it. */
  readonly differentiated: boolean;
  /** Whether the loss or the next state needs it; otherwise metrics alone do. */
  readonly needed: boolean;
  /** What it is of each response: an expression over logits. */
  readonly definitions: Readonly<Record<string, Node>>;
  /** What stands for it in the bound expressions. */
  readonly inputs: Readonly<Record<string, Input>>;
}

/** What an objective computes, by name. */
export interface SeamRoots {
  readonly loss: Node;
  readonly metrics: Readonly<Record<string, Node>>;
  readonly next: Readonly<Record<string, Node>>;
}
/** An objective over statistics in place of logits. */
export interface Seam extends SeamRoots {
  readonly statistics: readonly Statistic[];
}

const inputOf = ({ name, models, response }: Found): Input =>
  input({ kind: "statistic", name, models, response }, ["batch", tokenAxis(response)]) as Input;

/** Replaces what is made of logits by statistics. */
export function bindStatistics(roots: SeamRoots, responses: readonly string[]): Seam {
  const metricNames = Object.keys(roots.metrics);
  const stateNames = Object.keys(roots.next);
  const before = lookupsInside([
    roots.loss,
    ...stateNames.map((name) => roots.next[name]!),
    ...metricNames.map((name) => roots.metrics[name]!),
  ]);
  const terms = findStatistics(before, responses);
  const after = substitute(
    before,
    (rebuilt, original) => {
      const term = terms.get(original);
      if (term !== undefined) return term.value(inputOf(term));
      // the logarithm of what a statistic is the logarithm of
      const log = rebuilt.tag === "unary" && rebuilt.op === "log" ? rebuilt.args[0] : null;
      const whole = original.tag === "unary" && terms.has(original.args[0]);
      return whole && log?.tag === "unary" && log.op === "exp" ? log.args[0] : rebuilt;
    },
    topological(before),
  );
  const loss = after[0]!;
  const next = after.slice(1, 1 + stateNames.length);
  const metrics = after.slice(1 + stateNames.length);
  return {
    loss,
    next: Object.fromEntries(stateNames.map((name, position) => [name, next[position]!])),
    metrics: Object.fromEntries(metricNames.map((name, position) => [name, metrics[position]!])),
    statistics: gathered([...terms.values()], loss, next, responses),
  };
}

/** Whether a gradient can reach the policy's logits through a term. */
function hasSlope(definition: Node): boolean {
  const live = new Set<Node>();
  for (const node of topological([definition])) {
    const passes = node.tag !== "stop" && node.dtype === "f32";
    const own = node.tag === "input" && isDifferentiated(node);
    if (own || (passes && node.args.some((arg) => live.has(arg)))) live.add(node);
  }
  return live.has(definition);
}

/** The terms of all responses by what they are of any response. */
function gathered(
  terms: readonly Found[],
  loss: Node,
  next: readonly Node[],
  responses: readonly string[],
): readonly Statistic[] {
  const inputs = [...new Set(terms.map(inputOf))];
  const scalar = loss.axes.includes("batch")
    ? binary("over", reduce("sum", "batch", loss), count("batch"))
    : loss;
  const own = inputs.filter(isDifferentiated);
  const slopes = simplify(gradient(scalar, own)).roots;
  const live = new Set(
    own.filter((_, position) => {
      const slope = slopes[position]!;
      return !(slope.tag === "const" && slope.value === 0);
    }),
  );
  const read = new Set(topological([loss, ...next]));
  const groups = new Map<string, Found[]>();
  for (const term of terms) {
    const key = `${term.models.join("+")}.${term.name}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    if (!group.some(({ response }) => response === term.response)) group.push(term);
  }
  return [...groups.values()].map((group) => {
    const [{ name, formula, models }] = group as [Found];
    const having = group.map((term) => inputOf(term));
    return {
      name,
      formula,
      models,
      responses: responses.filter((response) => group.some((term) => term.response === response)),
      differentiated:
        having.some((one) => live.has(one)) && group.some((term) => hasSlope(term.definition)),
      needed: having.some((one) => read.has(one)),
      definitions: Object.fromEntries(
        group.map(({ response, definition }) => [response, definition]),
      ),
      inputs: Object.fromEntries(group.map((term) => [term.response, inputOf(term)])),
    };
  });
}
