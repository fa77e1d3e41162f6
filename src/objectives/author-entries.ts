// The list of objectives by the names that their authors gave them, where they are no option of TRL's trainers.

import * as averages from "./averages.ts";
import { calDpo, calDpoOptions } from "./cal-dpo.ts";
import {
  aqfl,
  aql,
  cell,
  dbaql,
  discoveredOptions,
  ktoPair,
  lrml,
  padll,
  pfl,
} from "./discopop.ts";
import type { Discovered } from "./discopop.ts";
import { entry, type BuiltIn } from "./entry.ts";
import * as halos from "./halos.ts";
import { halosKto, halosKtoOptions } from "./halos-kto.ts";
import { llamaFactory, llamaFactoryOptions } from "./llama-factory.ts";
import { betaOptions } from "./margins.ts";
import { nemo, nemoOptions } from "./nemo.ts";
import * as offsets from "./offsets.ts";
import { shiftedBcoPair } from "./reward-shift.ts";
import { sppo, sppoOptions } from "./sppo.ts";
import { tdpo1, tdpo1Options, tdpo2, tdpo2Options } from "./tdpo.ts";
import { tisDpo, tisDpoOptions } from "./tis-dpo.ts";

const found = (name: string, make: Discovered, summary: string): BuiltIn =>
  entry(name, discoveredOptions, make, summary);

export const authorEntries: Readonly<Record<string, BuiltIn>> = {
  tdpo1: entry("tdpo1", tdpo1Options, tdpo1, "DPO with KL(π_ref ‖ π) at every token in the margin"),
  tdpo2: entry(
    "tdpo2",
    tdpo2Options,
    tdpo2,
    "TDPO₁ with the divergences weighted, the chosen one stopped",
  ),
  "tis-dpo": entry("tis-dpo", tisDpoOptions, tisDpo, "DPO with a given weight for each token"),
  "cal-dpo": entry("cal-dpo", calDpoOptions, calDpo, "DPO with the log-ratios drawn to ±1/(2β)"),
  dpop: entry(
    "dpop",
    offsets.dpopOptions,
    offsets.dpop,
    "DPO with a penalty where the chosen response loses probability",
  ),
  "minor-dpo": entry(
    "minor-dpo",
    betaOptions,
    offsets.minorDpo,
    "DPO that pushes the rejected response down to the reference only",
  ),
  odpo: entry(
    "odpo",
    offsets.odpoOptions,
    offsets.odpo,
    "DPO with an offset by the gap of known scores",
  ),
  "chi-po": entry("chi-po", offsets.chiPoOptions, offsets.chiPo, "DPO of eʰ + h, bounded"),
  "focal-po": entry(
    "focal-po",
    offsets.focalPoOptions,
    offsets.focalPo,
    "DPO weighted towards pairs that are ranked rightly",
  ),
  d2po: entry("d2po", offsets.d2poOptions, offsets.d2po, "DPO in which later tokens count less"),
  infonca: entry(
    "infonca",
    offsets.ncaOptions,
    offsets.infoNca,
    "cross-entropy of the preference by known rewards",
  ),
  nca: entry("nca", offsets.ncaOptions, offsets.nca, "the same of each response by itself"),
  simper: entry(
    "simper",
    averages.simperOptions,
    averages.simper,
    "difference of inverse perplexities",
  ),
  repo: entry(
    "repo",
    averages.repoOptions,
    averages.repo,
    "max(0, γ − Δ), Δ the difference of the average log-probabilities",
  ),
  sppo: entry(
    "sppo",
    sppoOptions,
    sppo,
    "squared distance of the log-ratios from given winning probabilities",
  ),
  nemo: entry(
    "nemo",
    nemoOptions,
    nemo,
    "DPO, IPO, or a distance of the margin from that of given rewards",
  ),
  "halos-dpo": entry(
    "halos-dpo",
    halos.halosDpoOptions,
    halos.halosDpo,
    "DPO of log-ratios clamped per token",
  ),
  "halos-cdpo": entry(
    "halos-cdpo",
    halos.halosCdpoOptions,
    halos.halosCdpo,
    "the same with label smoothing",
  ),
  "halos-ipo": entry(
    "halos-ipo",
    halos.halosIpoOptions,
    halos.halosIpo,
    "IPO averaged over tokens that count",
  ),
  "halos-simpo": entry(
    "halos-simpo",
    halos.halosSimpoOptions,
    halos.halosSimpo,
    "SimPO averaged over tokens that count",
  ),
  "halos-kto": entry("halos-kto", halosKtoOptions, halosKto, "KTO of log-ratios clamped per token"),
  dbaql: found("dbaql", dbaql, "logistic and exponential, blended by the variance of the margins"),
  aql: found("aql", aql, "logistic and hinge, blended by a quantile that follows the mean margin"),
  aqfl: found("aqfl", aqfl, "logistic and hinge, blended by the distance from such a quantile"),
  padll: found("padll", padll, "logistic, halved where the margin is negative"),
  cell: found("cell", cell, "the average of logistic and exponential"),
  lrml: found(
    "lrml",
    lrml,
    "logistic and exponential, blended by the margin: DiscoPOP as its authors have it",
  ),
  pfl: found("pfl", pfl, "logistic where the policy prefers the chosen response, else hinge"),
  "kto-pair": found("kto-pair", ktoPair, "KTO of pairs, the divergence estimated from the batch"),
  bco_pair_shifted: entry(
    "bco_pair_shifted",
    betaOptions,
    shiftedBcoPair,
    "−log σ(βs_w − δ) − log σ(δ − βs_l), δ the average reward so far",
  ),
  llama_factory: entry(
    "llama_factory",
    llamaFactoryOptions,
    llamaFactory,
    "DPO, hinge, IPO or KTO, mixed with bco_pair_shifted and the likelihood of y_w",
  ),
};
