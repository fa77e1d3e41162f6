// Which of TRL's options a loss does not read, and the rest of what can be wrong with them. An option that would be ignored
// is refused, unless it has TRL's default, so that a whole configuration can be handed over.

import { describe } from "../dsl/check.ts";
import { didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError, type ErrorCode } from "../dsl/index.ts";
import { checkOptions } from "./options.ts";
import { defaults, trlDpoOptions } from "./trl-config.ts";
import type { Checked, Defaults, TrlDpoOptions } from "./trl-config.ts";
import { lossesIn, lossReleases, meaningOf, newestRelease, releaseOf } from "./trl-releases.ts";
import type { LossType, Release } from "./trl-releases.ts";

const refuse = (code: ErrorCode, sentence: string): never => {
  throw new PrefcError(code, `trlDpo: ${sentence}`);
};

/** Why a loss of TRL is not in this release, as the rest of a sentence. */
function elsewhere(type: string): string {
  if (!Object.hasOwn(lossReleases, type)) return "";
  const [since, until] = lossReleases[type as LossType];
  return ` TRL has had ${JSON.stringify(type)} since ${since}${until === undefined ? "" : `, and no more from ${until} on`}; choose the release with as_of.`;
}

function readTypes(given: unknown, release: Release, as_of: string): readonly LossType[] {
  const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
  const names = lossesIn(release);
  if (listed.length === 0) refuse("loss-type", "loss_type is empty; name at least one loss type.");
  if (listed.length > 1 && release.major === 0 && release.minor < 20)
    refuse(
      "loss-type",
      `loss_type is a list, which TRL takes since 0.20 and not in ${as_of}; give one loss type, or mix objectives with mix.`,
    );
  listed.forEach((type, position) => {
    if (!names.some((name) => name === type)) {
      const meant = typeof type === "string" ? elsewhere(type) || didYouMean(type, names) : "";
      refuse(
        "loss-type",
        `loss_type is ${describe(type)}, which is none of ${listNames(names)}${as_of === newestRelease ? "" : `, the losses of TRL ${as_of}`}.${meant}`,
      );
    }
    if (listed.indexOf(type) !== position) {
      refuse(
        "loss-type",
        `loss_type names ${JSON.stringify(type)} twice; name it once and add up its weights.`,
      );
    }
  });
  return listed as readonly LossType[];
}

function readWeights(given: unknown, { length }: readonly LossType[]): readonly number[] | null {
  if (given === undefined || given === null) return null;
  if (Array.isArray(given) && given.length === length && given.every(Number.isFinite)) return given;
  return refuse(
    "loss-weights",
    `loss_weights is ${Array.isArray(given) ? JSON.stringify(given) : describe(given)}; give a list of ${length} finite number${length === 1 ? "" : "s"}, one for each loss type.`,
  );
}

const doesNotApply = (option: string, to: string, instead: string): never =>
  refuse("option-does-not-apply", `${option} does not apply to ${to}; ${instead}.`);

/** Fails for options that the release did not have, or whose meaning no formula of a batch can have. */
function checkRelease({ as_of, meaning, ...options }: Checked, release: Release): void {
  const to = `TRL ${as_of}`;
  if (release.major === 0 && release.minor === 12)
    refuse(
      "option-does-not-apply",
      "as_of is a release of TRL 0.12, which cut the last token of the longest sequences of a batch; give 0.11 or 0.13, which did not.",
    );
  if (options.reference_free && !meaning.referenceFree)
    doesNotApply(
      "reference_free",
      to,
      "it is an option up to 0.28; give as_of or use referenceFree",
    );
  if (options.rpo_alpha !== undefined && !meaning.likelihood)
    doesNotApply(
      "rpo_alpha",
      to,
      'it is an option from 0.9 to 0.28; since then it is loss_type ["sigmoid", "sft"] with loss_weights',
    );
  if (options.use_weighting && meaning.weighting === "absent")
    doesNotApply("use_weighting", to, "it is an option since 0.12");
  if (options.use_weighting && meaning.weighting === "shifted")
    doesNotApply(
      "use_weighting",
      to,
      "from 0.14 to 0.28 weights belonged to the tokens beside theirs; give as_of 0.13 or 0.29, where they are right",
    );
  if (options.ld_alpha === undefined || meaning.desensitising === "completion") return;
  doesNotApply(
    "ld_alpha",
    to,
    meaning.desensitising === "absent"
      ? "it is an option since 0.18"
      : "up to 0.28 it counted positions from the start of the prompt; give as_of 0.29, which counts over the completion",
  );
}

/** Fails for a divergence that the release or one of the losses ignores or refuses. */
function checkDivergence({ types, as_of, meaning, f_divergence_type: type }: Checked): void {
  if (type === "reverse_kl") return;
  const given = `f_divergence_type ${JSON.stringify(type)}`;
  const to = `TRL ${as_of}`;
  if (meaning.divergence === "absent") doesNotApply(given, to, "it is an option since 0.9");
  if (meaning.divergence === "ignored")
    doesNotApply(given, to, "that release computes reverse_kl whatever is given");
  if (type === "forward_kl" && meaning.divergence === "margin")
    doesNotApply(given, to, "it is there since 0.29; before, it was ignored or refused");
  const unread = types.find((name) => name !== "sft" && !meaning.divergent.includes(name));
  if (unread !== undefined)
    doesNotApply(
      given,
      `loss_type ${JSON.stringify(unread)}`,
      `${to} reads it with ${listNames(meaning.divergent)} only`,
    );
}

/** Fails for options that differ from TRL's default where no loss reads them. */
function checkRead(options: Checked & Defaults): void {
  const { types, meaning, f_divergence_type: divergence } = options;
  const losses = `loss_type ${listNames(types)}`;
  if (
    (options.label_smoothing ?? 0) !== 0 &&
    !types.some((type) => meaning.smoothed.includes(type))
  )
    doesNotApply(
      "label_smoothing",
      losses,
      `TRL reads it with ${listNames(meaning.smoothed.filter((type) => type !== "aot_pair"))} only; any loss of scores is smoothed by withLabelSmoothing`,
    );
  if (options.discopop_tau !== defaults.discopop_tau && !types.includes("discopop"))
    doesNotApply("discopop_tau", losses, 'it is read with "discopop" only');
  if (options.f_alpha_divergence_coef !== meaning.alpha && divergence !== "alpha_divergence")
    doesNotApply(
      "f_alpha_divergence_coef",
      `f_divergence_type ${JSON.stringify(divergence)}`,
      'it is read with "alpha_divergence" only',
    );
  if (options.rpo_alpha !== undefined && types.includes("sft"))
    doesNotApply(
      "rpo_alpha",
      losses,
      'it adds the loss "sft", which is there already; weigh that with loss_weights',
    );
  if (!types.every((type) => type === "sft")) return;
  const ignored = [
    ["beta", options.beta !== defaults.beta],
    ["f_divergence_type", divergence !== defaults.f_divergence_type],
    ["ld_alpha", options.ld_alpha !== undefined],
    ["reference_free", options.reference_free],
  ] as const;
  const [option] = ignored.find(([, isGiven]) => isGiven) ?? [];
  if (option !== undefined)
    doesNotApply(
      option,
      losses,
      "that is the likelihood of the chosen responses alone, without a reference",
    );
}

/**
 * Checks options of TRL's DPOConfig.
 * @throws PrefcError loss-type, loss-weights, option-does-not-apply, unknown-option, option-value
 */
export function checkTrlOptions(options: TrlDpoOptions): Checked {
  if (typeof options !== "object" || options === null)
    refuse(
      "option-value",
      `the options are ${describe(options)}; give an object such as { loss_type: "sigmoid" }.`,
    );
  const { as_of: given, loss_type, loss_weights, ...single } = options;
  const as_of = given ?? newestRelease;
  const release = releaseOf("trlDpo", as_of);
  const meaning = meaningOf(release);
  const types = readTypes(loss_type ?? "sigmoid", release, as_of);
  const rest = Object.fromEntries(
    Object.entries(single).filter(([, value]) => value !== null && value !== undefined),
  );
  const { f_alpha_divergence_coef = meaning.alpha, ...read } = {
    ...defaults,
    ...checkOptions("trlDpo", trlDpoOptions, rest),
  };
  const weights = readWeights(loss_weights, types);
  const checked: Checked = { ...read, f_alpha_divergence_coef, as_of, meaning, types, weights };
  checkRelease(checked, release);
  checkDivergence(checked);
  checkRead(checked);
  return checked;
}
