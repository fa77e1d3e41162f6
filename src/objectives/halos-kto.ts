// KTO as the HALOs repository has it: log-ratios may be clamped per token, and the reference point is averaged over the
// mismatched completions whose log-ratio is not zero.

import {
  maximum,
  neg,
  objective,
  param,
  relu,
  sigmoid,
  stopGrad,
  sum,
  where,
} from "../dsl/index.ts";
import type { Expr, Given, ObjectiveOf, PerExample, Response } from "../dsl/index.ts";
import { isNonzero, tokenRatio, type HalosDpoOptions, halosDpoOptions } from "./halos.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { groupMetrics, isDesirable } from "./unpaired.ts";

/** Defaults of the run-time parameters of the same names. */
export interface HalosKtoOptions extends HalosDpoOptions {
  /** λ_D, the weight of desirable completions; 1. */
  readonly desirable_weight?: number;
  /** λ_U, the weight of undesirable completions; 1. */
  readonly undesirable_weight?: number;
}

export const halosKtoOptions: OptionKinds = {
  ...halosDpoOptions,
  desirable_weight: "number",
  undesirable_weight: "number",
};

/**
 * λ_D (1 − σ(β(h − z₀))) for a desirable completion, λ_U (1 − σ(β(z₀ − h))) for an undesirable one
 *
 * h = Σ_t log π(y_t)/π_ref(y_t) of the completion "y", each term clamped with `humanline`; z₀ = max(0, the sum of h over
 * the mismatched completions "kl" by the number of those where it is not 0), data to the gradient. example("desirable") is
 * 1 or 0. Ethayarajh et al. 2024 (arXiv 2402.01306), equation 8; HALOs, train/trainers.py, `KTOTrainer.loss`.
 */
export function halosKto(options: HalosKtoOptions = {}): ObjectiveOf<"y" | "kl"> {
  const given = checkOptions("halos-kto", halosKtoOptions, options);
  const { beta = 0.1, desirable_weight = 1, undesirable_weight = 1 } = given;
  const β = param("beta", beta);
  const [λD, λU] = [
    param("desirable_weight", desirable_weight),
    param("undesirable_weight", undesirable_weight),
  ];
  const ratio = tokenRatio("halos-kto", given);
  const h = <R extends "y" | "kl">(g: Given<"y" | "kl">, y: Response<R>): Expr<PerExample> =>
    sum("token", ratio(g, y));
  return objective(
    "halos-kto",
    ["y", "kl"],
    (g) => {
      const [own, other] = [h(g, g.y.y), h(g, g.y.kl)];
      const z = stopGrad(
        relu(sum("batch", other).over(maximum(sum("batch", isNonzero(other)), 1))),
      );
      const x = β.times(own.minus(z));
      const loss = where(isDesirable(g), λD.times(sigmoid(neg(x))), λU.times(sigmoid(x)));
      return { loss, metrics: { ...groupMetrics(g, own), kl: z } };
    },
    {
      source:
        "Ethayarajh et al. 2024, arXiv 2402.01306, equation 8; ContextualAI/HALOs, train/trainers.py, KTOTrainer",
    },
  );
}
