// Weighted preference optimisation: each pair is weighted by how likely its responses are under the policy,
// as if they had been sampled from it. It is a combinator: any pairwise objective can be weighted.

import { cite, describe } from "../dsl/check.ts";
import {
  called,
  clamp as bound,
  constant,
  exp,
  log,
  max,
  mean,
  named,
  objective,
  PrefcError,
  reads,
  square,
  stopGrad,
  sum,
} from "../dsl/index.ts";
import { requireObjective } from "../dsl/objective.ts";
import type { Expr, Given, Model, PerExample, PerToken, Response } from "../dsl/index.ts";
import { dpo, dpoOptions, type DpoOptions } from "./dpo.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { logPi, type Pair, type PairwiseObjective } from "./pairwise.ts";

/** What the log-probability of a token is compared with, so that a weight does not depend on its uncertainty. */
export type Alignment = <R extends string>(m: Model, y: Response<R>) => Expr<PerToken<R>>;

/** log Σ_v π(v)²: the expected probability of a sampled token. */
export const sampled: Alignment = (m, y) => log(sum("vocab", square(exp(logPi(m, y)))));
/** max_v log π(v): the probability of the greedy token. */
export const greedy: Alignment = (m, y) => max("vocab", logPi(m, y));
/** 0: the probability of the token itself, normalised by length only. */
export const none: Alignment = () => constant(0);

/** How weights are formed and applied. */
export interface WeightingOptions {
  /** Whether the weights are data to the gradient; true. */
  readonly stop?: boolean;
  /** What is kept from exceeding 1: nothing, the product of the weights, or each of them; "none". */
  readonly clamp?: "none" | "product" | "each";
  /** Whose weights are applied: both responses', or one's; "pair". */
  readonly responses?: "pair" | "chosen" | "rejected";
}

const weightingOptions: OptionKinds = {
  stop: "boolean",
  clamp: ["none", "product", "each"],
  responses: ["pair", "chosen", "rejected"],
};

/** The authors' code clamps the product at 1, TRL does not. */
const source = "weights: Zhou et al. 2024, arXiv 2406.11827, the weighted loss";

/** w(x, y) = exp(1/|y| Σ_t [log π(y_t) − alignment_t]) */
export const weight = <R extends string>(
  m: Model,
  y: Response<R>,
  alignment: Alignment,
): Expr<PerExample> => exp(mean("token", m.logp(y).minus(alignment(m, y))));

const atMostOne = (w: Expr<PerExample>): Expr<PerExample> => bound(w, { max: 1 });

/**
 * The factors of w(x, y_w) w(x, y_l), or of one of the two, with what is clamped kept at 1 at most. The loss is multiplied
 * by one after the other: their product alone may be too small for single precision where that with the loss is not.
 */
function pairWeights(
  { policy, y }: Given<Pair>,
  alignment: Alignment,
  { clamp = "none", responses = "pair" }: WeightingOptions,
): readonly Expr<PerExample>[] {
  const each = <R extends string>(y: Response<R>): Expr<PerExample> =>
    clamp === "each" ? atMostOne(weight(policy, y, alignment)) : weight(policy, y, alignment);
  const factors = {
    pair: () => [each(y.w), each(y.l)],
    chosen: () => [each(y.w)],
    rejected: () => [each(y.l)],
  }[responses]();
  const product = (): Expr<PerExample> => factors.reduce((w, other) => w.times(other));
  return clamp === "product" ? [atMostOne(product())] : factors;
}

const weighted = { pair: ["w", "l"], chosen: ["w"], rejected: ["l"] } as const;

/**
 * An objective with each example's loss multiplied by w(x, y_w) w(x, y_l).
 *
 * Zhou et al. 2024 (arXiv 2406.11827), as TRL prints it in docs/source/paper_index.md; stopped and unclamped
 * by default, as in TRL's use_weighting. An objective over one of the two responses becomes one over both.
 */
export function withWeighting(
  alignment: Alignment,
  options: WeightingOptions = {},
): (inner: PairwiseObjective) => PairwiseObjective {
  const { stop = true, responses = "pair" } = checkOptions(
    "withWeighting",
    weightingOptions,
    options,
  );
  if (typeof alignment !== "function") {
    throw new PrefcError(
      "argument-kind",
      `withWeighting: the alignment is ${describe(alignment)}; give sampled, greedy, none or a function of a model and a response.`,
    );
  }
  return (inner) => {
    requireObjective("withWeighting", inner);
    if (reads.sorted(inner)) {
      throw new PrefcError(
        "weight-of-sorted",
        `withWeighting: ${cite(inner.name)} sorts scores along the batch, so its numbers belong to no pair and cannot be weighted by the probability of one; weight a loss of single pairs, such as dpo().`,
      );
    }
    const names = [...new Set<Pair>([...inner.responses, ...weighted[responses]])];
    return objective(
      `${inner.name} weighted`,
      names,
      (g) => {
        const { loss, ...rest } = inner.define(g);
        const factors = pairWeights(g, alignment, options);
        return {
          loss: factors.reduce(
            (product, w) => product.times(called("weights", stop ? stopGrad(w) : w)),
            called("unweighted", loss),
          ),
          ...rest,
        };
      },
      { source: `${inner.source}; ${source}` },
    );
  };
}

/** Options of DPO and of the weighting, and the alignment by name. */
export interface WpoOptions extends DpoOptions, WeightingOptions {
  /** The per-token normaliser of the weights; "sampled". */
  readonly alignment?: "sampled" | "greedy" | "none";
}

export const wpoOptions: OptionKinds = {
  ...dpoOptions,
  alignment: ["sampled", "greedy", "none"],
  ...weightingOptions,
};

/** w(x, y_w) w(x, y_l) · DPO. Zhou et al. 2024 (arXiv 2406.11827). */
export function wpo(options: WpoOptions = {}): PairwiseObjective {
  const {
    beta = 0.1,
    label_smoothing = 0,
    alignment = "sampled",
    ...weighting
  } = checkOptions("wpo", wpoOptions, options);
  return named(
    "wpo",
    withWeighting({ sampled, greedy, none }[alignment], weighting)(dpo({ beta, label_smoothing })),
  );
}
