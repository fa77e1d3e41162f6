// A DPOTrainer whose loss is an emitted function: one override, compute_loss, that asks the model's head for the statistics that
// the function reads, hands over what the trainer knows of the reference, and logs TRL's metrics by TRL's names.

import { calling, ending, returning, routed, type TrainerText } from "./common.ts";
import { importing, making, reference, type Base } from "./opening.ts";
import { dict, string } from "./string.ts";

export interface PairsTrainer extends TrainerText {
  /** Which rows the function takes. */
  readonly rows: "both" | "chosen";
  /** Metrics that are averages over tokens: of all, or of chosen ones. */
  readonly perToken: Readonly<Record<string, "all" | "chosen" | "rejected">>;
}

const base: Base = {
  trainer: "DPOTrainer",
  config: "DPOConfig",
  options: [
    "loss_type",
    "loss_weights",
    "use_weighting",
    "f_divergence_type",
    "f_alpha_divergence_coef",
    "ld_alpha",
    "beta",
    "label_smoothing",
    "discopop_tau",
  ],
  each: "pair",
};

/** Lines that give the reference's part of what the function reads. */
function referenceLines(trainer: PairsTrainer): readonly string[] {
  const { ref, readsRefLogps, readsBoth, isOwn } = trainer;
  const tokens = Object.keys(ref).length > 0;
  if (!readsRefLogps && !tokens && !readsBoth) return [];
  const asked = (more: string): string =>
    `self.reference(lambda model: model(**kwargs, labels=labels, fused_lm_head=True${more}))`;
  const role = asked(isOwn ? `, role="ref"` : "");
  return readsRefLogps && !tokens && !readsBoth
    ? [
        `        if self.precompute_ref_logps:`,
        `            given["ref_logps"] = torch.cat([inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]])`,
        `        else:`,
        `            given["ref_logps"] = ${asked("")}["log_probs"][:, -width:].sum(1)`,
      ]
    : [
        `        ref = ${readsBoth ? asked(", only_hidden=True") : role}`,
        ...(readsBoth
          ? [`        beside = [(ref["hidden"], ref["weight"], ref["bias"], ref["project"])]`]
          : [`        given |= {name: ref[field][:, -width:] for name, field in REF.items()}`]),
      ];
}

/** The lines of the file after the loss. */
export function pairsLines(
  trainer: PairsTrainer,
  definitions: readonly string[],
): readonly string[] {
  const { ref, columns, rows, perToken, readsRefLogps, readsBoth, isOwn } = trainer;
  const readsRef = readsRefLogps || readsBoth || Object.keys(ref).length > 0;
  const more = isOwn ? `, role="policy"${readsBoth ? ", beside=beside" : ""}` : "";
  return [
    ...importing(base, trainer),
    ...definitions,
    ...making(base, trainer),
    ...(readsRef ? reference : []),
    `    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):`,
    `        others = {${["completion_mask", "ref_chosen_logps", "ref_rejected_logps", ...columns].map(string).join(", ")}}`,
    `        kwargs = {name: x for name, x in inputs.items() if name not in others} | {"use_cache": False}`,
    `        labels = inputs["input_ids"].masked_fill(inputs[${string(trainer.readsPrompts ? "attention_mask" : "completion_mask")}] == 0, -100)`,
    `        mask = inputs["completion_mask"][:, 1:]`,
    `        width, given = mask.size(1), {}`,
    ...referenceLines(trainer),
    ...(isOwn
      ? []
      : [`        if self.aux_loss_enabled:`, `            kwargs["output_router_logits"] = True`]),
    `        outputs = dict(model(**kwargs, labels=labels, fused_lm_head=True${more}).items())`,
    // prompt-learning PEFT puts virtual tokens before the real ones
    `        given |= {name: outputs[field][:, -width:] for name, field in POLICY.items()}`,
    `        given["mask"] = mask`,
    ...(trainer.readsPrompts
      ? [`        given["prompt_mask"] = inputs["attention_mask"][:, 1:] * (mask == 0)`]
      : []),
    ...(rows === "chosen"
      ? [
          `        given = {name: x.chunk(2)[0] for name, x in given.items()}  # the loss reads chosen completions only`,
        ]
      : []),
    ...columns.map((one) => `        given[${string(one)}] = inputs[${string(one)}]`),
    ...calling(trainer),
    ...(isOwn
      ? []
      : [
          `        sums = [x.reshape(2, -1).sum(1) for x in (outputs["mean_logits"][:, -width:] * mask, mask)]`,
          `        metrics["logits/chosen"], metrics["logits/rejected"] = sums[0] / sums[1]`,
        ]),
    ...routed(trainer),
    `        self.log_metrics(metrics, inputs, mask)`,
    ...returning(trainer),
    `    def log_metrics(self, metrics, inputs, mask):`,
    `        """TRL's metrics: averages over pairs, or over tokens with their counts, of all ranks."""`,
    `        mode = "train" if self.model.training else "eval"`,
    `        values = torch.stack(list(metrics.values()))`,
    `        tokens = mask.reshape(2, -1).sum(1).tolist()`,
    `        counts = {"chosen": tokens[0], "rejected": tokens[1], "all": sum(tokens), "pairs": len(mask) // 2}`,
    `        weights = values.new_tensor([counts[PER_TOKEN.get(name, "pairs")] for name in metrics])`,
    `        total, count = self.accelerator.gather(torch.stack([values * weights, weights])[None]).sum(0)`,
    `        for name, value in zip(metrics, (total / count).tolist()):`,
    `            self._metrics[mode][name].append(value)`,
    `        if mode == "train":`,
    `            seen = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum()).sum().item()`,
    `            self._total_train_tokens += seen // self._tp_size`,
    `        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]`,
    ``,
    ...ending(trainer, [`PER_TOKEN = ${dict(perToken)}`]),
  ];
}
