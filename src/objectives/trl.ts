// TRL's DPOTrainer as a composition: every loss_type is an objective, every other option a combinator, so that what a
// configuration means, in the release that it is of, can be read off here.

import { changedGiven, mean, named, param, referenceFree } from "../dsl/index.ts";
import type { Given, Model, Response } from "../dsl/index.ts";
import { apoDown, apoDownOfScores, apoZero, bcoPair, ncaPair, sppoHard } from "./absolute.ts";
import { aot, aotUnpaired } from "./aot.ts";
import { lengthDesensitised } from "./combinators.ts";
import { ktoPair } from "./discopop.ts";
import {
  alphaDivergence,
  forwardKl,
  jsDivergence,
  reverseKl,
  withDivergence,
  withoutConstant,
} from "./divergences.ts";
import type { Divergence } from "./divergences.ts";
import { dpo } from "./dpo.ts";
import { bradleyTerry, discopop, exoPair, hinge, ipo, robust, sigmoidNorm } from "./margins.ts";
import { mix, type Part } from "./mix.ts";
import type { Pair, PairwiseObjective } from "./pairwise.ts";
import { sft } from "./sft.ts";
import type { Checked, DivergenceType, TrlDpoOptions } from "./trl-config.ts";
import { checkTrlOptions } from "./trl-options.ts";
import type { LossType } from "./trl-releases.ts";
import { sampled, withWeighting } from "./wpo.ts";

type Loss = (options: Checked) => PairwiseObjective;

const unpaired: Loss = ({ beta, label_smoothing = 0 }) => aotUnpaired({ beta, label_smoothing });
const likelihood: Loss = ({ meaning }) => sft(meaning.withoutIdZero ? { ignore_index: 0 } : {});

/** TRL's loss types, in the meaning of the release. */
const losses: Readonly<Record<LossType, Loss>> = {
  sigmoid: ({ beta, label_smoothing = 0, meaning }) =>
    meaning.smoothed.includes("sigmoid") ? dpo({ beta, label_smoothing }) : bradleyTerry({ beta }),
  hinge: ({ beta }) => hinge({ beta }),
  // where all log-probabilities are averages already, nothing is divided by lengths once more
  ipo: ({ beta, meaning }) => ipo({ beta, length_normalised: !meaning.averages }),
  exo_pair: ({ beta, label_smoothing = 0.001, meaning }) =>
    exoPair({
      beta,
      // before its rewrite TRL took 0.001 for 0 as well
      label_smoothing: label_smoothing === 0 && meaning.averages ? 0.001 : label_smoothing,
    }),
  nca_pair: ({ beta }) => ncaPair({ beta }),
  robust: ({ beta, label_smoothing = 0 }) => robust({ beta, label_smoothing }),
  bco_pair: ({ beta, as_of }) => bcoPair({ beta, as_of }),
  sppo_hard: ({ beta }) => sppoHard({ beta }),
  aot: ({ beta, label_smoothing = 0 }) => aot({ beta, label_smoothing }),
  aot_unpaired: unpaired,
  aot_pair: unpaired,
  apo_zero: ({ beta }) => apoZero({ beta }),
  apo_down: ({ beta, meaning }) =>
    meaning.divergent.includes("apo_down") ? apoDownOfScores({ beta }) : apoDown({ beta }),
  discopop: ({ beta, discopop_tau }) => discopop({ beta, discopop_tau }),
  sft: likelihood,
  sigmoid_norm: ({ beta }) => sigmoidNorm({ beta }),
  kto_pair: ({ beta }) => ktoPair({ beta }),
};

/** e^x was kept below the largest float64 up to 0.28, and the coefficient was 1 − α. */
const alphaOf = ({ f_alpha_divergence_coef, meaning }: Checked): Divergence =>
  meaning.divergence === "margin"
    ? alphaDivergence({ f_alpha_divergence_coef, meaning: "one-minus-alpha", largest: 709.78 })
    : alphaDivergence({ f_alpha_divergence_coef });

const divergences: Readonly<Record<DivergenceType, (options: Checked) => Divergence>> = {
  reverse_kl: () => reverseKl,
  forward_kl: () => forwardKl,
  js_divergence: () => jsDivergence,
  alpha_divergence: alphaOf,
};

/** The divergence of the options, on the losses that read it. */
function divergent(checked: Checked): (type: LossType) => Loss {
  const { meaning, f_divergence_type: type } = checked;
  const centred = divergences[type](checked);
  const change = withDivergence(
    meaning.divergence === "centred" ? centred : withoutConstant(centred),
  );
  return (name) => (options) =>
    meaning.divergent.includes(name) ? change(losses[name](options)) : losses[name](options);
}

/** The model whose log π(y | x) is log π(y | x) / |y|. */
export const averaged = (m: Model): Model => ({
  ...m,
  logps: ((y: Response<string>) => mean("token", m.logp(y))) as Model["logps"],
});

/** The same objective of log π(y | x) / |y| in place of log π(y | x), also where it is logged. */
const ofAverages = (inner: PairwiseObjective): PairwiseObjective =>
  named(inner.name, {
    ...inner,
    define: (g) =>
      inner.define(
        changedGiven<Given<Pair>>(g, { policy: averaged(g.policy), ref: averaged(g.ref) }),
      ),
  });

/**
 * The objective that TRL's DPOTrainer minimises under these options of its DPOConfig, in the release `as_of`.
 *
 * trl/trainer/dpo_trainer.py: `_compute_loss`, and `dpo_loss` with `get_batch_loss_metrics` up to 0.28.
 * @throws PrefcError loss-type, loss-weights, option-does-not-apply, unknown-option, option-value, and what a
 * combinator throws for a loss that it makes no sense for.
 */
export function trlDpo(options: TrlDpoOptions = {}): PairwiseObjective {
  const checked = checkTrlOptions(options);
  const { types, weights, ld_alpha, rpo_alpha, meaning, as_of } = checked;
  const lossOf = divergent(checked);
  const parts = types.map((type, position): readonly [string, Part] => {
    const weight = weights === null ? 1 : param(`loss_weights.${type}`, weights[position]);
    return [type, [lossOf(type)(checked), weight]];
  });
  const added =
    rpo_alpha === undefined
      ? {}
      : { sft: [likelihood(checked), param("rpo_alpha", rpo_alpha)] as const };
  const mixed = mix({ ...Object.fromEntries(parts), ...added });
  const summed = meaning.averages && types.includes("ipo") ? ofAverages(mixed) : mixed;
  const desensitised = ld_alpha === undefined ? summed : lengthDesensitised({ ld_alpha })(summed);
  const free = checked.reference_free ? referenceFree(desensitised) : desensitised;
  const clamp = meaning.weighting === "clamped" ? "product" : "none";
  const weighted = checked.use_weighting ? withWeighting(sampled, { clamp })(free) : free;
  const source = `${weighted.source}; TRL ${as_of}, trl/trainer/dpo_trainer.py`;
  return named(weighted.name, { ...weighted, source });
}
