// Sums of objectives over the same batch: MPO, RPO, and whatever a trainer calls a multi-loss. What the parts have in
// common (log-probabilities, log-ratios, weights) is the same expression and is computed once.

import { cite, describe, isOptionsObject } from "../dsl/check.ts";
import { objective, PrefcError, type Next } from "../dsl/index.ts";
import { requireObjective } from "../dsl/objective.ts";
import { weighted, type Weight } from "./combinators.ts";
import type { Pair, PairwiseObjective } from "./pairwise.ts";

/** An objective and what its loss is multiplied by. */
export type Part = readonly [part: PairwiseObjective, weight: Weight];

/** The states of all parts; two parts may share one only if they leave the same value. */
function merged(names: readonly string[], parts: readonly Next[]): Next {
  const next: Record<string, Next[string]> = {};
  parts.forEach((states, position) => {
    for (const [name, value] of Object.entries(states)) {
      if (next[name] !== undefined && next[name].node !== value.node) {
        throw new PrefcError(
          "states-differ",
          `mix: ${cite(names[position])} leaves another value in the state ${cite(name)} than a part before it; rename one of the states.`,
        );
      }
      next[name] = value;
    }
  });
  return next;
}

/** Characters of the name of a mixture, which nobody wrote. */
const longestTitle = 120;

/** The names of the parts, as many as fit into a name of a mixture. */
function titleOf(names: readonly string[]): string {
  const whole = names.join(" + ");
  if (whole.length <= longestTitle) return whole;
  const beginning = whole.slice(0, longestTitle);
  const end = Math.max(beginning.lastIndexOf(" + "), 0);
  return `${end === 0 ? beginning : beginning.slice(0, end)} + … (${names.length} parts)`;
}

/**
 * Σ weight · loss, by name: `mix({ dpo: [dpo(), 0.8], sft: [sft(), 1] })`. A single part of weight 1 is the part itself.
 * Of metrics that several parts report, the one counts that reads the most responses, and of those the first.
 * @throws PrefcError mix-of-nothing, mix-part, states-differ, parameter-defaults-differ
 */
export function mix(parts: Readonly<Record<string, Part>>): PairwiseObjective {
  if (!isOptionsObject(parts)) {
    throw new PrefcError(
      "mix-part",
      `mix: the parts are ${describe(parts)}; give an object such as { dpo: [dpo(), 0.8], sft: [sft(), 1] }.`,
    );
  }
  const names = Object.keys(parts);
  for (const name of names) {
    if (Array.isArray(parts[name]) && parts[name].length === 2) continue;
    throw new PrefcError(
      "mix-part",
      `mix: the part ${cite(name)} is not a pair; write ${cite(name)}: [objective, weight].`,
    );
  }
  for (const name of names) requireObjective(`mix: the part ${cite(name)}`, parts[name]![0]);
  const members = Object.values(parts).map(([part, weight]) => weighted(part, weight));
  const [first] = members;
  if (first === undefined) {
    throw new PrefcError(
      "mix-of-nothing",
      "mix: there are no parts; give at least one, as { name: [objective, weight] }.",
    );
  }
  if (members.length === 1) return first;
  const responses = [...new Set<Pair>(members.flatMap((part) => part.responses))];
  const rank = (position: number): number => members[position]!.responses.length;
  const order = members
    .map((_, position) => position)
    .toSorted((a, b) => rank(a) - rank(b) || b - a);
  return objective(
    titleOf(names),
    responses,
    (g) => {
      const made = members.map((part) => part.define(g));
      const [head, ...tail] = made.map(({ loss }) => loss);
      return {
        loss: tail.reduce((sum, loss) => sum.plus(loss), head!),
        metrics: Object.assign(
          {},
          ...order.map((position) => made[position]!.metrics),
        ) as (typeof made)[0]["metrics"],
        next: merged(
          names,
          made.map(({ next }) => next),
        ),
      };
    },
    {
      source: [...new Set(members.map(({ source }) => source))].join("; "),
      models: members.flatMap(({ models }) => models),
    },
  );
}
