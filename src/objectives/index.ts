// The built-in objectives by name: what `prefc check NAME` and `prefc explain NAME` look up.

import { didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError, type Objective } from "../dsl/index.ts";
import { dpo, dpoOptions } from "./dpo.ts";
import { checkOptions, type OptionKinds } from "./options.ts";
import { sft, sftOptions } from "./sft.ts";
import { wpo, wpoOptions } from "./wpo.ts";

/** Values of options by name, as a command line or a file gives them. */
export type Options = Readonly<Record<string, number | boolean | string>>;

/** An objective that ships with the package. */
export interface BuiltIn {
  /** The objective with these options. @throws PrefcError unknown-option, option-value */
  readonly make: (options?: Options) => Objective;
  /** What each option accepts. */
  readonly options: OptionKinds;
  /** One line for a list. */
  readonly summary: string;
}

const entry = <T extends object>(
  name: string,
  options: OptionKinds,
  make: (options: T) => Objective,
  summary: string,
): BuiltIn => ({
  // the check against `options` is what makes the given record a T
  make: (given = {}) => make(checkOptions(name, options, given) as unknown as T),
  options,
  summary,
});

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

export { dpo, type DpoOptions } from "./dpo.ts";
export { entropy, isMostLikely, logPi, logRatio, margin, pairMetrics } from "./pairwise.ts";
export type { Pair, PairwiseObjective } from "./pairwise.ts";
export type { NumberRange, OptionKind, OptionKinds } from "./options.ts";
export { sft } from "./sft.ts";
export { greedy, none, sampled, weight, withWeighting, wpo } from "./wpo.ts";
export type { Alignment, WeightingOptions, WpoOptions } from "./wpo.ts";
