// Weighted preference optimisation in the forms that no trainer offers, recorded from the formulas, and the loss of
// the WPO authors: sampled alignment, the product of the two weights clamped at 1, weights not differentiated.

import { referenceFree } from "../../dsl/index.ts";
import { margin, wpo, type WpoOptions } from "../../objectives/index.ts";
import { choice, fixed, option, param, type Key, type Keys } from "../keys.ts";
import { quantitiesOf, type Quantities } from "../quantities.ts";
import type { Chosen, Row } from "../row.ts";
import { pairWeights } from "./weights.ts";

/** Whether and what is kept from exceeding 1: a word, a bound, or yes and no. */
const clamp: Key = option("clamp", [
  ["none", "none"],
  ["product", "product"],
  ["each", "each"],
  [1, "product"],
  [true, "product"],
  [false, "none"],
]);

const keys = (beta: number): Keys => ({
  alignment: choice("alignment", "sampled", "greedy", "none"),
  detach: choice("stop", true, false),
  clamp,
  combine: choice("responses", "pair", "chosen", "rejected"),
  beta: param("beta", beta),
  label_smoothing: param("label_smoothing", 0),
  reference_free: choice("reference_free", true, false),
  loss_type: fixed("sigmoid"),
  use_weighting: fixed(true),
});

/** A row whose options, when a file does not give them, are `defaults`. */
function row(names: Row["names"], beta: number, defaults: WpoOptions): Row {
  const split = (
    options: Chosen,
  ): { readonly reference_free: boolean; readonly given: WpoOptions } => {
    const { reference_free = false, ...given } = { ...defaults, ...options } as WpoOptions & {
      reference_free?: boolean;
    };
    return { reference_free, given };
  };
  return {
    names,
    keys: keys(beta),
    objective: (options) => {
      const { reference_free, given } = split(options);
      return reference_free ? referenceFree(wpo(given)) : wpo(given);
    },
    quantities: (options) => {
      const { reference_free, given } = split(options);
      const { alignment = "sampled", ...weighting } = given;
      return { ...pairWeights(alignment, weighting), ...(reference_free ? unsettled : delta) };
    },
  };
}

const delta = quantitiesOf((g) => ({ delta: margin(g) }));

/** Whether a reference-free run records the reference that it was given or zeros depends on where it is recorded. */
const unsettled: Quantities = {
  ref_chosen_logps: null,
  ref_rejected_logps: null,
  chosen_rewards: null,
  rejected_rewards: null,
};

export const wpoForms: readonly Row[] = [
  row([/^wpo-variant\/[^/]+\/(?:no)?detach\/clamp-[^/]+\/[^/]+$/], 0.1, {}),
  row(
    ["wpo/repo sampled-alignment clamp", "wpo/repo + label_smoothing", "wpo/repo reference_free"],
    0.01,
    { clamp: "product" },
  ),
];
