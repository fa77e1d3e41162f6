// Binary classifier optimisation: feedback on single completions, classified by whether their reward exceeds the average
// that has been seen so far. That average is state: each step leaves it for the next.

import {
  clamp,
  constant,
  count,
  logSigmoid,
  mean,
  neg,
  objective,
  param,
  state,
  stopGrad,
  where,
} from "../dsl/index.ts";
import type { Expr, Given, ObjectiveOf, PerExample } from "../dsl/index.ts";
import { checkApplies, checkOptions, type OptionKinds } from "./options.ts";
import { logRatio } from "./pairwise.ts";
import { groupMetrics, isDesirable } from "./unpaired.ts";

/** Whether undesirable completions are weighted, and defaults of the run-time parameters of the same names. */
export interface BcoOptions {
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number;
  /**
   * Whether undesirable completions are weighted by p/(1 − p), where p = example("prob_desirable") is the probability that
   * their prompt is one of a desirable completion; false. TRL's underlying distribution matching (UDM).
   */
  readonly density_ratio?: boolean;
  /** The least and the largest weight; 0.5 and 10. Read with density_ratio. */
  readonly min_density_ratio?: number;
  readonly max_density_ratio?: number;
}

export const bcoOptions: OptionKinds = {
  beta: "number",
  density_ratio: "boolean",
  min_density_ratio: "number",
  max_density_ratio: "number",
};

const readers = { min_density_ratio: ["true"], max_density_ratio: ["true"] };

/** TRL's guard against a probability of 1. */
const guard = 1e-8;

const ratio = ({ example }: Given<"y">, min: Expr, max: Expr): Expr<PerExample> => {
  const p = example("prob_desirable");
  return clamp(p.over(constant(1 + guard).minus(p)), { min, max });
};

/**
 * −log σ(r − δ) for a desirable completion, −w log σ(−(r − δ)) for an undesirable one
 *
 * r = β h is the reward of the completion "y" and δ its average over all completions so far, those of this batch included;
 * δ is data to the gradient. example("desirable") is 1 or 0. The state is running_mean = δ and running_count, the number of
 * completions. Jung et al. 2024 (arXiv 2404.04656), equation 10. TRL, trl/experimental/bco/bco_trainer.py, `bco_loss`,
 * `RunningMoments` and `_get_udm_weight`.
 */
export function bco(options: BcoOptions = {}): ObjectiveOf<"y"> {
  const given = checkOptions("bco", bcoOptions, options);
  const {
    beta = 0.1,
    density_ratio = false,
    min_density_ratio = 0.5,
    max_density_ratio = 10,
  } = given;
  checkApplies("bco", "density_ratio", String(density_ratio), given, readers);
  const [β, min, max] = [
    param("beta", beta),
    param("min_density_ratio", min_density_ratio),
    param("max_density_ratio", max_density_ratio),
  ];
  const [before, seen] = [state("running_mean", 0), state("running_count", 0)];
  return objective(
    "bco",
    ["y"],
    (g) => {
      const r = β.times(logRatio(g, g.y.y));
      const all = seen.plus(count("batch"));
      const δ = before.plus(
        stopGrad(mean("batch", r)).minus(before).times(count("batch").over(all)),
      );
      const w = density_ratio ? ratio(g, min, max) : constant(1);
      const [x, wanted] = [r.minus(δ), isDesirable(g)];
      const loss = neg(where(wanted, logSigmoid(x), w.times(logSigmoid(neg(x)))));
      return {
        loss,
        metrics: { ...groupMetrics(g, r), delta: δ },
        next: { running_mean: δ, running_count: all },
      };
    },
    {
      source:
        "Jung et al. 2024, arXiv 2404.04656, equation 10; TRL, trl/experimental/bco/bco_trainer.py, bco_loss, RunningMoments and _get_udm_weight",
    },
  );
}
