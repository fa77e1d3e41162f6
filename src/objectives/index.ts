// The built-in objectives by name: what `prefc check NAME` and `prefc explain NAME` look up.

import { cite, describe, didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError, type Objective } from "../dsl/index.ts";
import { authorEntries } from "./author-entries.ts";
import { dpo, dpoOptions } from "./dpo.ts";
import { entry, type BuiltIn, type Options } from "./entry.ts";
import { further } from "./further.ts";
import { sft, sftOptions } from "./sft.ts";
import { trlEntries } from "./trl-entries.ts";
import { wpo, wpoOptions } from "./wpo.ts";

/** The built-in objectives by name. */
export const builtIns: Readonly<Record<string, BuiltIn>> = {
  dpo: entry(
    "dpo",
    dpoOptions,
    dpo,
    "−(1 − ε) log σ(βΔ) − ε log σ(−βΔ), Δ the difference of the log-ratios",
  ),
  wpo: entry(
    "wpo",
    wpoOptions,
    wpo,
    "DPO with each pair weighted by how likely the policy is to produce it",
  ),
  sft: entry(
    "sft",
    sftOptions,
    sft,
    "negative log-likelihood of the chosen responses, averaged over tokens",
  ),
  ...further,
  ...trlEntries,
  ...authorEntries,
};

/** The built-in objective of this name. @throws PrefcError unknown-objective, unknown-option, option-value */
export function builtIn(name: string, options?: Options): Objective {
  const names = Object.keys(builtIns);
  if (typeof name !== "string") {
    throw new PrefcError(
      "unknown-objective",
      `builtIn: the name is ${describe(name)}; give one of ${listNames(names)}.`,
    );
  }
  const found = Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  if (found !== undefined) return found.make(options);
  throw new PrefcError(
    "unknown-objective",
    `there is no built-in objective ${cite(name)}; there are ${listNames(names)}.${didYouMean(name, names)}`,
  );
}

export { averageLogps, likelihood, scores } from "./contrast.ts";
export { alphapo, cpo, type AlphapoOptions, type CpoOptions } from "./cpo.ts";
export { calDpo, type CalDpoOptions } from "./cal-dpo.ts";
export { aqfl, aql, cell, dbaql, ktoPair, lrml, padll, pfl } from "./discopop.ts";
export type { Discovered, DiscoveredOptions } from "./discopop.ts";
export { dpo, type DpoOptions } from "./dpo.ts";
export { gkd, type GkdOptions } from "./gkd.ts";
export { grpo } from "./grpo.ts";
export { rloo, type RlooOptions } from "./rloo.ts";
export type { GrpoLoss, GrpoOptions } from "./grpo-options.ts";
export { halosCdpo, halosDpo, halosIpo, halosSimpo } from "./halos.ts";
export type {
  HalosCdpoOptions,
  HalosDpoOptions,
  HalosIpoOptions,
  HalosSimpoOptions,
} from "./halos.ts";
export { halosKto, type HalosKtoOptions } from "./halos-kto.ts";
export { llamaFactory, withBco, type LlamaFactoryOptions } from "./llama-factory.ts";
export { shiftedBcoPair } from "./reward-shift.ts";
export { bernoulliKl, nemo, type NemoOptions } from "./nemo.ts";
export { sppo, type SppoOptions } from "./sppo.ts";
export { sequenceKl, tdpo1, tdpo2, type Tdpo1Options, type Tdpo2Options } from "./tdpo.ts";
export { tisDpo, tokenKl, type TisDpoOptions } from "./tis-dpo.ts";
export type { BuiltIn, Options } from "./entry.ts";
export { bco, type BcoOptions } from "./bco.ts";
export { kto, type KtoOptions } from "./kto.ts";
export { nashMd, type NashMdOptions } from "./nash-md.ts";
export { repo, simper, type RepoOptions } from "./averages.ts";
export { chiPo, d2po, dpop, focalPo, infoNca, minorDpo, nca, odpo } from "./offsets.ts";
export type {
  ChiPoOptions,
  D2poOptions,
  DpopOptions,
  FocalPoOptions,
  NcaOptions,
  OdpoOptions,
} from "./offsets.ts";
export { orpo, type OrpoOptions } from "./orpo.ts";
export { rDpo, type RDpoOptions } from "./r-dpo.ts";
export { reward, type RewardOptions } from "./reward.ts";
export { simpo, type SimpoOptions } from "./simpo.ts";
export { slic, type SlicOptions } from "./slic.ts";
export { tpo, type TpoOptions } from "./tpo.ts";
export { xpo, type XpoOptions } from "./xpo.ts";
export { entropy, isMostLikely, logPi, logRatio, margin, pairMetrics } from "./pairwise.ts";
export type { Pair, PairwiseObjective } from "./pairwise.ts";
export type { Accepted, ListKind, NumberRange, OptionKind, OptionKinds } from "./options.ts";
export { sft, type SftOptions } from "./sft.ts";
export { greedy, none, sampled, withWeighting, wpo } from "./wpo.ts";
export { weight } from "./weight.ts";
export type { Alignment, WeightingOptions, WpoOptions } from "./wpo.ts";
export { aot, aotUnpaired, type AotOptions } from "./aot.ts";
export { apoDown, apoZero, bcoPair, ncaPair, sppoHard, type BcoPairOptions } from "./absolute.ts";
export {
  lengthDesensitised,
  lengthNormalised,
  weighted,
  withLabelSmoothing,
} from "./combinators.ts";
export type { DesensitisedOptions, Weight } from "./combinators.ts";
export {
  alphaDivergence,
  forwardKl,
  jsDivergence,
  reverseKl,
  withDivergence,
  withoutConstant,
} from "./divergences.ts";
export type { AlphaOptions, Divergence } from "./divergences.ts";
export { bradleyTerry, discopop, exoPair, hinge, ipo, robust, sigmoidNorm } from "./margins.ts";
export type { BetaOptions, DiscopopOptions, IpoOptions, NoisyOptions } from "./margins.ts";
export { mix, type Part } from "./mix.ts";
export { linked, pairScores, scoresOf, type Link, type Scores, type Scoring } from "./scores.ts";
export { trlDpo } from "./trl.ts";
export { ldDpo, mpo, rpo, type LdDpoOptions, type RpoOptions } from "./trl-entries.ts";
export type { DivergenceType, TrlDpoOptions } from "./trl-config.ts";
export { newestRelease } from "./trl-releases.ts";
export type { LossType } from "./trl-releases.ts";
