// How a pairwise loss sees its pair: through one score per response, the log-ratio unless a combinator says otherwise.
// A loss that reads scores can be had for other scores (of a divergence, per token, with the labels exchanged)
// without being written again; one that reads log-ratios themselves is left alone by such combinators.

import { cite, describe } from "../dsl/check.ts";
import { changedGiven, named, objective, param, PrefcError } from "../dsl/index.ts";
import { taking } from "../dsl/arguments.ts";
import { requireObjective } from "../dsl/objective.ts";
import type { Expr, Given, PerExample } from "../dsl/index.ts";
import { positive } from "./options.ts";
import { logRatio, pairMetrics, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** The scores of the chosen and the rejected response. */
export interface Scores {
  readonly w: Expr<PerExample>;
  readonly l: Expr<PerExample>;
  /** w − l, in a form that does not cancel where there is a better one. */
  readonly difference: Expr<PerExample>;
}
/** Makes scores of what an objective is given. */
export type Scoring = (g: Given<Pair>) => Scores;

/** Scores whose difference is taken as it stands. */
export const scoresOf: (w: Expr<PerExample>, l: Expr<PerExample>) => Scores = taking(
  "scoresOf",
  ["expression", "expression"],
  (w: Expr<PerExample>, l: Expr<PerExample>): Scores => ({
    w,
    l,
    difference: w.minus(l),
  }),
);

const logRatios: Scoring = (g) => scoresOf(logRatio(g, g.y.w), logRatio(g, g.y.l));

/** What a combinator hands down beside the models and responses. */
interface Scored extends Given<Pair> {
  readonly scoring?: Scoring;
}
const scoringOf = (g: Given<Pair>): Scoring =>
  "scoring" in g ? ((g as Scored).scoring ?? logRatios) : logRatios;

/** The scores of the pair: h(y) = log π(y | x) − log π_ref(y | x), or what a combinator made of it. */
export const pairScores: Scoring = taking("pairScores", ["given"], (g) => scoringOf(g)(g));

/** The same models and responses with changed scores. */
export function rescored(
  g: Given<Pair>,
  change: (s: Scores, g: Given<Pair>) => Scores,
): Given<Pair> {
  const before = scoringOf(g);
  return changedGiven<Scored>(g, { scoring: (at) => change(before(at), at) });
}

/** A loss of the scores of a pair and of β, with TRL's metrics. */
export type Link = (s: Scores, β: Expr) => Expr<PerExample>;

/** An objective whose loss is a function of the scores, with the run-time parameter `beta`. */
export function linked(name: string, source: string, beta: number, link: Link): PairwiseObjective {
  if (typeof link !== "function") {
    throw new PrefcError(
      "argument-kind",
      `linked: the loss is ${describe(link)}; give a function of the scores and of β.`,
    );
  }
  const β = param("beta", beta, positive);
  return objective(name, ["w", "l"], (g) => link(pairScores(g), β), {
    source,
    metrics: (g) => pairMetrics(g, β),
  });
}

/** What a combinator that changes scores is called, and what it adds to the source. */
export interface Change {
  /** Begins the sentence when it does not apply. */
  readonly combinator: string;
  /** What it changes, as the end of "… changes nothing there": "a divergence". */
  readonly what: string;
  readonly name: string;
  readonly source: string;
}

/**
 * The objective that defines itself for a changed given.
 * @throws PrefcError combination-without-effect when its loss stays the same expression.
 */
export function changed(
  inner: PairwiseObjective,
  { combinator, what, name, source }: Change,
  define: PairwiseObjective["define"],
): PairwiseObjective {
  requireObjective(combinator, inner);
  const outer = named(name, { ...inner, source: `${inner.source}; ${source}`, define });
  if (outer.loss !== inner.loss) return outer;
  throw new PrefcError(
    "combination-without-effect",
    `${combinator}: the loss of ${cite(inner.name)} does not change by ${what}; apply it to a loss that depends on it, such as dpo().`,
  );
}
