// TRL's DPOTrainer as a composition: every loss_type is an objective, every other option a combinator, so that what a
// configuration means can be read off here.

import { param, referenceFree } from "../dsl/index.ts";
import { apoDown, apoZero, bcoPair, ncaPair, sppoHard } from "./absolute.ts";
import { aot, aotUnpaired } from "./aot.ts";
import { lengthDesensitised } from "./combinators.ts";
import {
  alphaDivergence,
  forwardKl,
  jsDivergence,
  reverseKl,
  withDivergence,
} from "./divergences.ts";
import type { Divergence } from "./divergences.ts";
import { bradleyTerry, discopop, exoPair, hinge, ipo, robust, sigmoidNorm } from "./margins.ts";
import { mix, type Part } from "./mix.ts";
import type { PairwiseObjective } from "./pairwise.ts";
import { sft } from "./sft.ts";
import type { Checked, DivergenceType, LossType, TrlDpoOptions } from "./trl-config.ts";
import { checkTrlOptions } from "./trl-options.ts";
import { sampled, withWeighting } from "./wpo.ts";

/** TRL's loss types. */
const losses: Readonly<Record<LossType, (options: Checked) => PairwiseObjective>> = {
  sigmoid: ({ beta }) => bradleyTerry({ beta }),
  hinge: ({ beta }) => hinge({ beta }),
  ipo: ({ beta }) => ipo({ beta }),
  exo_pair: ({ beta, label_smoothing = 0.001 }) => exoPair({ beta, label_smoothing }),
  nca_pair: ({ beta }) => ncaPair({ beta }),
  robust: ({ beta, label_smoothing = 0 }) => robust({ beta, label_smoothing }),
  bco_pair: ({ beta }) => bcoPair({ beta }),
  sppo_hard: ({ beta }) => sppoHard({ beta }),
  aot: ({ beta, label_smoothing = 0 }) => aot({ beta, label_smoothing }),
  aot_unpaired: ({ beta, label_smoothing = 0 }) => aotUnpaired({ beta, label_smoothing }),
  apo_zero: ({ beta }) => apoZero({ beta }),
  apo_down: ({ beta }) => apoDown({ beta }),
  discopop: ({ beta, discopop_tau }) => discopop({ beta, discopop_tau }),
  sft: () => sft(),
  sigmoid_norm: ({ beta }) => sigmoidNorm({ beta }),
};

const divergences: Readonly<Record<DivergenceType, (options: Checked) => Divergence>> = {
  reverse_kl: () => reverseKl,
  forward_kl: () => forwardKl,
  js_divergence: () => jsDivergence,
  alpha_divergence: ({ f_alpha_divergence_coef }) => alphaDivergence({ f_alpha_divergence_coef }),
};

/**
 * The objective that TRL's DPOTrainer minimises under these options of its DPOConfig.
 *
 * trl/trainer/dpo_trainer.py, `_compute_loss`; `reference_free` and `rpo_alpha` as up to release 0.28.
 * @throws PrefcError loss-type, loss-weights, option-does-not-apply, unknown-option, option-value, and what a
 * combinator throws for a loss that it makes no sense for.
 */
export function trlDpo(options: TrlDpoOptions = {}): PairwiseObjective {
  const checked = checkTrlOptions(options);
  const { types, weights, ld_alpha, rpo_alpha } = checked;
  const divergence = withDivergence(divergences[checked.f_divergence_type](checked));
  const parts = types.map((type, position): readonly [string, Part] => {
    const loss = losses[type](checked);
    const weight = weights === null ? 1 : param(`loss_weights.${type}`, weights[position]);
    return [type, [type === "sft" ? loss : divergence(loss), weight]];
  });
  const likelihood =
    rpo_alpha === undefined ? {} : { sft: [sft(), param("rpo_alpha", rpo_alpha)] as const };
  const mixed = mix({ ...Object.fromEntries(parts), ...likelihood });
  const desensitised = ld_alpha === undefined ? mixed : lengthDesensitised({ ld_alpha })(mixed);
  const free = checked.reference_free ? referenceFree(desensitised) : desensitised;
  return checked.use_weighting ? withWeighting(sampled)(free) : free;
}
