// What a release of TRL means by the options of its DPOTrainer. The same arguments have computed different numbers over
// the years, mostly without a word, so every difference that was measured is one field here. docs/trl.md tells them all.

import { cite, describe } from "../dsl/check.ts";
import { PrefcError } from "../dsl/index.ts";

/** The release that names and options mean unless as_of names another: the newest one that was recorded. */
export const newestRelease = "1.16.0";

/** Major and minor number of a release; patches of one minor never differed. */
export interface Release {
  readonly major: number;
  readonly minor: number;
}

/** The last minor of each major number, up to the newest recorded release. */
const lastMinor: Readonly<Record<number, number>> = { 0: 29, 1: 16 };
const firstMinor = 7;

const parsed = (text: string): Release | undefined => {
  const found = /^(\d+)\.(\d+)(?:\.\d+)?$/.exec(text);
  if (found === null) return undefined;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const last = lastMinor[major];
  if (last === undefined || minor > last || (major === 0 && minor < firstMinor)) return undefined;
  return { major, minor };
};

/** Whether a value names a release of TRL that was recorded, such as "1.9" or "0.28.0". */
export const isRelease = (value: unknown): value is string =>
  typeof value === "string" && parsed(value) !== undefined;

/** What an option for a release may be, as the end of "give …". */
export const releaseWords: string = `a release of TRL from "0.7" to ${cite(newestRelease)} as a string, such as "1.9" (as a number 1.10 would be 1.1)`;

/** The release that a text names. @throws PrefcError option-value */
export function releaseOf(where: string, text: unknown): Release {
  const release = typeof text === "string" ? parsed(text) : undefined;
  if (release !== undefined) return release;
  throw new PrefcError(
    "option-value",
    `${where}: the option as_of is ${describe(text)}; give ${releaseWords}.`,
  );
}

const order = ({ major, minor }: Release): number => 100 * major + minor;

/** Whether a release is this one or a later one. */
const isSince = (release: Release, text: string): boolean => order(release) >= order(parsed(text)!);

/** A loss of TRL's DPOTrainer. */
export type CurrentLoss =
  | "sigmoid"
  | "hinge"
  | "ipo"
  | "exo_pair"
  | "nca_pair"
  | "robust"
  | "bco_pair"
  | "sppo_hard"
  | "aot"
  | "aot_unpaired"
  | "apo_zero"
  | "apo_down"
  | "discopop"
  | "sft"
  | "sigmoid_norm";
/** The same, or one that only earlier releases had. */
export type LossType = CurrentLoss | "aot_pair" | "kto_pair";

/** The first release that had a loss, and the first that had it no more. */
export const lossReleases: Readonly<Record<LossType, readonly [since: string, until?: string]>> = {
  sigmoid: ["0.7"],
  hinge: ["0.7"],
  ipo: ["0.7"],
  exo_pair: ["0.9"],
  nca_pair: ["0.9"],
  robust: ["0.9"],
  bco_pair: ["0.9"],
  sppo_hard: ["0.9"],
  aot: ["0.9"],
  aot_unpaired: ["0.28"],
  apo_zero: ["0.10"],
  apo_down: ["0.10"],
  discopop: ["0.13"],
  sft: ["0.20"],
  sigmoid_norm: ["1.4"],
  aot_pair: ["0.9", "0.28"],
  kto_pair: ["0.7", "0.9"],
};

/** The losses that a release has, by its names. */
export const lossesIn = (release: Release): readonly LossType[] =>
  (Object.keys(lossReleases) as readonly LossType[]).filter((name) => {
    const [since, until] = lossReleases[name];
    return isSince(release, since) && (until === undefined || !isSince(release, until));
  });

/** What the options of a release mean. */
export interface Meaning {
  /** The losses that read label_smoothing. */
  readonly smoothed: readonly LossType[];
  /**
   * How f_divergence_type acts. "margin": it replaces the difference of the two log-ratios, in the losses that read that
   * alone. "scores": it replaces the log-ratios. "centred": the same with the constant that makes a score 0 at h = 0.
   */
  readonly divergence: "absent" | "ignored" | "margin" | "scores" | "centred";
  /** The losses that f_divergence_type changes. */
  readonly divergent: readonly LossType[];
  /** f_alpha_divergence_coef where it is not given. */
  readonly alpha: number;
  /** What use_weighting does: the product of the weights kept at 1 at most, weights off by one token, or as they are. */
  readonly weighting: "absent" | "clamped" | "shifted" | "plain";
  /** Whether ld_alpha counts positions over the sequence or the completion. */
  readonly desensitising: "absent" | "sequence" | "completion";
  /** Whether "ipo" makes all log-probabilities averages over tokens, or divides its own scores by lengths. */
  readonly averages: boolean;
  /** Whether bco_pair subtracts a running average of the rewards. */
  readonly shifted: boolean;
  /** Whether the likelihood leaves out tokens whose id is 0. */
  readonly withoutIdZero: boolean;
  /** Whether there is reference_free, and whether there is rpo_alpha. */
  readonly referenceFree: boolean;
  readonly likelihood: boolean;
}

const ofMargins = ["sigmoid", "robust", "exo_pair", "hinge", "ipo"] as const;
const ofScores = [...ofMargins, "discopop", "sigmoid_norm"] as const;
const ofOneScore = ["nca_pair", "bco_pair", "sppo_hard", "apo_down"] as const;

function divergenceIn(release: Release): Pick<Meaning, "divergence" | "divergent"> {
  if (isSince(release, "1.10")) return { divergence: "centred", divergent: ofScores };
  if (isSince(release, "0.29"))
    return { divergence: "scores", divergent: [...ofScores, ...ofOneScore] };
  if (isSince(release, "0.28")) return { divergence: "ignored", divergent: [] };
  if (isSince(release, "0.9")) return { divergence: "margin", divergent: ofMargins };
  return { divergence: "absent", divergent: [] };
}

/** What the options of a release mean, as they were measured. */
export function meaningOf(release: Release): Meaning {
  const since = (text: string): boolean => isSince(release, text);
  const rewritten = since("0.29");
  const noisy = ["exo_pair", "robust", "aot", "aot_unpaired", "aot_pair"] as const;
  return {
    smoothed: rewritten ? noisy : ["sigmoid", ...noisy],
    ...divergenceIn(release),
    alpha: rewritten ? 0.5 : 1,
    weighting: rewritten
      ? "plain"
      : since("0.14")
        ? "shifted"
        : since("0.12")
          ? "clamped"
          : "absent",
    desensitising: rewritten ? "completion" : since("0.18") ? "sequence" : "absent",
    averages: !rewritten,
    shifted: !rewritten,
    withoutIdZero: since("0.12") && !rewritten,
    referenceFree: !rewritten,
    likelihood: since("0.9") && !rewritten,
  };
}

/** The same for a release by its text. @throws PrefcError option-value */
export const meaningIn = (as_of: string): Meaning => meaningOf(releaseOf("as_of", as_of));
