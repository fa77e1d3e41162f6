// Binds inputs at the height at which the batch brings them. Cached reference log-probabilities, for example,
// are one number per sequence: wherever the objective computes them from logits, that subexpression is
// replaced by an input, and the logits below it are never read.

import { ownName } from "../core/axis.ts";
import { substitute } from "../core/build.ts";
import { fail } from "../core/error.ts";
import {
  logitsOf,
  logpFromLogits,
  logpInput,
  logpsFromLogits,
  logpsInput,
  type Height,
  type ModelName,
} from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { didYouMean, listNames } from "../core/names.ts";
import { cite } from "../core/quote.ts";

/** Where a model's log-probabilities enter: for all responses alike, or by response. */
export type HeightOf = Height | Readonly<Record<string, Height>>;
/** Where each model's log-probabilities enter: from logits unless said otherwise. */
export type Heights = Readonly<Record<ModelName, HeightOf>>;

export interface Roots {
  readonly loss: Node;
  readonly metrics: Readonly<Record<string, Node>>;
  /** The next value of each state. */
  readonly next: Readonly<Record<string, Node>>;
}
export interface Bound extends Roots {
  /** Metrics that need something below the given height, and so cannot be reported. */
  readonly dropped: readonly string[];
}

/** Replaces what lies at the given heights by inputs. @throws PrefcError input-too-high, unknown-height */
export function bindHeights(
  roots: Roots,
  responses: readonly string[],
  heights: Heights,
  models: readonly ModelName[] = ["policy", "ref"],
): Bound {
  const replaced = new Map<Node, Node>();
  const below: { node: Node; model: ModelName; height: Height }[] = [];
  for (const [model, given] of Object.entries(heights)) {
    if (!models.includes(model)) {
      fail(
        "unknown-height",
        `heights: there is no model ${cite(model)}; the models are ${listNames(models)}.${didYouMean(model, models)}`,
      );
    }
    for (const [response, height] of heightsByResponse(model, given, responses)) {
      if (height === "logits") continue;
      if (height === "logp")
        replaced.set(logpFromLogits(model, response), logpInput(model, response));
      else replaced.set(logpsFromLogits(model, response), logpsInput(model, response));
      below.push({ node: logitsOf(model, response), model, height });
    }
  }
  const names = Object.keys(roots.metrics);
  const states = Object.keys(roots.next);
  const before = [
    roots.loss,
    ...states.map((name) => roots.next[name]!),
    ...names.map((name) => roots.metrics[name]!),
  ];
  // matched on the original: a subexpression is replaced as a whole, not part by part
  const [loss, ...others] = substitute(
    before,
    (rebuilt, original) => replaced.get(original) ?? rebuilt,
    topological(before),
  );
  const needs = (root: Node): (typeof below)[number] | undefined => {
    const nodes = new Set(topological([root]));
    return below.find(({ node }) => nodes.has(node));
  };
  const metrics = others.splice(states.length);
  const missing = [loss!, ...others].map(needs).find((need) => need !== undefined);
  if (missing !== undefined) {
    const { model, height } = missing;
    fail(
      "input-too-high",
      `heights: ${model} is bound at "${height}", but the loss needs more of ${model} than that; bind it at ${height === "logps" ? '"logp" or ' : ""}"logits".`,
    );
  }
  const kept = names.flatMap((name, position) =>
    needs(metrics[position]!) === undefined ? [[name, metrics[position]!] as const] : [],
  );
  const dropped = names.filter((name) => !kept.some(([other]) => other === name));
  const next = Object.fromEntries(states.map((name, position) => [name, others[position]!]));
  return { loss: loss!, metrics: Object.fromEntries(kept), next, dropped };
}

/** One height for each response that has one. @throws PrefcError "unknown-height" or "missing-response" */
function heightsByResponse(
  model: ModelName,
  given: HeightOf,
  responses: readonly string[],
): readonly (readonly [response: string, height: Height])[] {
  const alike = typeof given !== "object" || given === null;
  const pairs: readonly (readonly [string, Height])[] = alike
    ? responses.map((response) => [response, given])
    : Object.entries(given).map(([name, height]) => [
        responses.find((response) => ownName(response) === name) ?? name,
        height,
      ]);
  for (const [response, height] of pairs) {
    const what = alike ? model : `${model} of ${cite(response)}`;
    if (!responses.includes(response)) {
      const known = responses.map((one) => cite(one)).join(", ");
      fail("missing-response", `heights: ${what} is given, but the objective has only ${known}.`);
    }
    if (height !== "logits" && height !== "logp" && height !== "logps") {
      fail(
        "unknown-height",
        `heights: ${what} is ${cite(height)}; choose "logits", "logp" or "logps".`,
      );
    }
  }
  return pairs;
}
