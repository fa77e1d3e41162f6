// The options of TRL's DPOConfig that say which loss is trained, by their own names: which there are, what each accepts,
// and which of them a loss does not read. An option that would be ignored is refused, unless it has TRL's default, so
// that a whole configuration can be handed over.

import { describe, didYouMean, listNames } from "../dsl/check.ts";
import { PrefcError } from "../dsl/index.ts";
import { checkOptions, positive, smoothing, type OptionKinds } from "./options.ts";

/** TRL's loss types. */
export const lossTypeNames = [
  "sigmoid",
  "hinge",
  "ipo",
  "exo_pair",
  "nca_pair",
  "robust",
  "bco_pair",
  "sppo_hard",
  "aot",
  "aot_unpaired",
  "apo_zero",
  "apo_down",
  "discopop",
  "sft",
  "sigmoid_norm",
] as const;
/** A loss of TRL's DPOTrainer. */
export type LossType = (typeof lossTypeNames)[number];

/** What holds the policy to the reference. */
export type DivergenceType = "reverse_kl" | "forward_kl" | "js_divergence" | "alpha_divergence";

/** Options of TRL's DPOConfig; null is Python's None, the same as leaving the option out. */
export interface TrlDpoOptions {
  /** One loss or several, whose sum is trained; "sigmoid". */
  readonly loss_type?: LossType | readonly LossType[] | null;
  /** What each loss is multiplied by: defaults of the run-time parameters `loss_weights.TYPE`; 1 each. */
  readonly loss_weights?: readonly number[] | null;
  /** β, how strongly the policy is held to the reference; 0.1. */
  readonly beta?: number | null;
  /** ε, the probability that a preference label is wrong; 0, and 0.001 for exo_pair, which needs one. */
  readonly label_smoothing?: number | null;
  /** Whether pairs are weighted as in WPO; false. */
  readonly use_weighting?: boolean | null;
  /** α of LD-DPO; none. */
  readonly ld_alpha?: number | null;
  /** "reverse_kl". */
  readonly f_divergence_type?: DivergenceType | null;
  /** α of the α-divergence; 0.5. */
  readonly f_alpha_divergence_coef?: number | null;
  /** τ of discopop; 0.05. */
  readonly discopop_tau?: number | null;
  /** Whether the reference is left out, an option up to TRL 0.28; false. */
  readonly reference_free?: boolean | null;
  /** How much of the likelihood of the chosen responses is added, an option up to TRL 0.28; none. */
  readonly rpo_alpha?: number | null;
}

/** The options that are one value each. */
type Single = Omit<TrlDpoOptions, "loss_type" | "loss_weights">;

/** Options after the check: no null, and defaults where there are some. */
export interface Checked {
  readonly types: readonly LossType[];
  readonly weights: readonly number[] | null;
  readonly beta: number;
  readonly label_smoothing: number | undefined;
  readonly use_weighting: boolean;
  readonly ld_alpha: number | undefined;
  readonly f_divergence_type: DivergenceType;
  readonly f_alpha_divergence_coef: number;
  readonly discopop_tau: number;
  readonly reference_free: boolean;
  readonly rpo_alpha: number | undefined;
}

export const trlDpoOptions: OptionKinds = {
  loss_type: lossTypeNames,
  beta: positive,
  label_smoothing: smoothing,
  use_weighting: "boolean",
  ld_alpha: { from: 0, to: 1 },
  f_divergence_type: ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"],
  f_alpha_divergence_coef: "number",
  discopop_tau: positive,
  reference_free: "boolean",
  rpo_alpha: "number",
};

const refuse = (code: string, sentence: string): never => {
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
  if (options.discopop_tau !== 0.05 && !types.includes("discopop"))
    doesNotApply("discopop_tau", losses, 'it is read with "discopop" only');
  if (options.f_alpha_divergence_coef !== 0.5 && divergence !== "alpha_divergence")
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
    ["beta", options.beta !== 0.1],
    ["f_divergence_type", divergence !== "reverse_kl"],
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
  const given = Object.fromEntries(Object.entries(single).filter(([, value]) => value !== null));
  type Given = { readonly [K in keyof Single]: Exclude<Single[K], null> };
  const {
    beta = 0.1,
    discopop_tau = 0.05,
    ...others
  }: Given = checkOptions("trlDpo", trlDpoOptions, given);
  const types = readTypes(loss_type ?? "sigmoid");
  const checked: Checked = {
    types,
    weights: readWeights(loss_weights, types),
    beta,
    discopop_tau,
    label_smoothing: others.label_smoothing,
    use_weighting: others.use_weighting ?? false,
    ld_alpha: others.ld_alpha,
    f_divergence_type: others.f_divergence_type ?? "reverse_kl",
    f_alpha_divergence_coef: others.f_alpha_divergence_coef ?? 0.5,
    reference_free: others.reference_free ?? false,
    rpo_alpha: others.rpo_alpha,
  };
  checkRead(checked);
  return checked;
}
