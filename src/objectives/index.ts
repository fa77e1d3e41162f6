// The built-in objectives by name: what `prefc check NAME` and `prefc explain NAME` look up.

import { didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError, type Objective } from "../dsl/index.ts";
import { dpo, dpoOptions } from "./dpo.ts";
import { entry, type BuiltIn, type Options } from "./entry.ts";
import { further } from "./further.ts";
import { sft, sftOptions } from "./sft.ts";
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
};

/** The built-in objective of this name. @throws PrefcError unknown-objective, unknown-option, option-value */
export function builtIn(name: string, options?: Options): Objective {
  const found = Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  if (found !== undefined) return found.make(options);
  const names = Object.keys(builtIns);
  throw new PrefcError(
    "unknown-objective",
    `there is no built-in objective ${JSON.stringify(name)}; there are ${listNames(names)}.${didYouMean(name, names)}`,
  );
}

export { alphapo, cpo, type AlphapoOptions, type CpoOptions } from "./cpo.ts";
export { dpo, type DpoOptions } from "./dpo.ts";
export type { BuiltIn, Options } from "./entry.ts";
export { nashMd, type NashMdOptions } from "./nash-md.ts";
export { rDpo, type RDpoOptions } from "./r-dpo.ts";
export { reward, type RewardOptions } from "./reward.ts";
export { simpo, type SimpoOptions } from "./simpo.ts";
export { slic, type SlicOptions } from "./slic.ts";
export { tpo, type TpoOptions } from "./tpo.ts";
export { xpo, type XpoOptions } from "./xpo.ts";
export { entropy, isMostLikely, logPi, logRatio, margin, pairMetrics } from "./pairwise.ts";
export type { Pair, PairwiseObjective } from "./pairwise.ts";
export type { NumberRange, OptionKind, OptionKinds } from "./options.ts";
export { sft } from "./sft.ts";
export { greedy, none, sampled, weight, withWeighting, wpo } from "./wpo.ts";
export type { Alignment, WeightingOptions, WpoOptions } from "./wpo.ts";
