// Which of TRL's options a loss does not read, and the rest of what can be wrong with them. An option that would be ignored
// is refused, unless it has TRL's default, so that a whole configuration can be handed over.

import { describe } from "../dsl/check.ts";
import { didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError, type ErrorCode } from "../dsl/index.ts";
import { checkOptions } from "./options.ts";
import { defaults, lossTypeNames, trlDpoOptions } from "./trl-config.ts";
import type { Checked, LossType, TrlDpoOptions } from "./trl-config.ts";

const refuse = (code: ErrorCode, sentence: string): never => {
  throw new PrefcError(code, `trlDpo: ${sentence}`);
};

function readTypes(given: unknown): readonly LossType[] {
  const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (listed.length === 0) refuse("loss-type", "loss_type is empty; name at least one loss type.");
  listed.forEach((type, position) => {
    if (!lossTypeNames.some((name) => name === type)) {
      const meant = typeof type === "string" ? didYouMean(type, lossTypeNames) : "";
      refuse(
        "loss-type",
        `loss_type is ${describe(type)}, which is none of ${listNames(lossTypeNames)}.${meant}`,
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

const smoothed: readonly LossType[] = ["exo_pair", "robust", "aot", "aot_unpaired"];

/** Fails for options that differ from TRL's default where no loss reads them. */
function checkRead(options: Checked): void {
  const { types, f_divergence_type: divergence } = options;
  const losses = `loss_type ${listNames(types)}`;
  if ((options.label_smoothing ?? 0) !== 0 && !types.some((type) => smoothed.includes(type)))
    doesNotApply(
      "label_smoothing",
      losses,
      `TRL reads it with ${listNames(smoothed)} only; any loss of scores is smoothed by withLabelSmoothing`,
    );
  if (options.discopop_tau !== defaults.discopop_tau && !types.includes("discopop"))
    doesNotApply("discopop_tau", losses, 'it is read with "discopop" only');
  if (
    options.f_alpha_divergence_coef !== defaults.f_alpha_divergence_coef &&
    divergence !== "alpha_divergence"
  )
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
  const { loss_type, loss_weights, ...single } = options;
  const given = Object.fromEntries(
    Object.entries(single).filter(([, value]) => value !== null && value !== undefined),
  );
  const types = readTypes(loss_type ?? "sigmoid");
  const checked: Checked = {
    ...defaults,
    ...checkOptions("trlDpo", trlDpoOptions, given),
    types,
    weights: readWeights(loss_weights, types),
  };
  checkRead(checked);
  return checked;
}
