// A GRPOTrainer or RLOOTrainer whose loss is an emitted function of sampled completions and their advantages: one override,
// _compute_loss. TRL samples, scores and normalises; the loss is given the number of tokens or completions of a whole step.

import { exampleInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import { topological } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import type { Emitted } from "../torch/emit.ts";
import { importing, numbersLines, type Base } from "./opening.ts";
import { string } from "./string.ts";

const advantages = "advantages";

const grpo: Base = {
  trainer: "GRPOTrainer",
  config: "GRPOConfig",
  options: [
    "loss_type",
    "importance_sampling_level",
    "beta",
    "epsilon",
    "epsilon_high",
    "delta",
    "sapo_temperature_pos",
    "sapo_temperature_neg",
    "vespo_k_pos",
    "vespo_lambda_pos",
    "vespo_k_neg",
    "vespo_lambda_neg",
    "top_entropy_quantile",
    "entropy_coef",
    "use_adaptive_entropy",
    "off_policy_mask_threshold",
    "use_bias_correction_kl",
    "mask_truncated_completions",
  ],
  each: "prompt",
};
const rloo: Base = {
  trainer: "RLOOTrainer",
  config: "RLOOConfig",
  options: ["epsilon", "epsilon_high"],
  each: "prompt",
};

/** Whether an objective is one of sampled completions with advantages. */
export const isSampled = ({ responses, loss }: Objective): boolean =>
  responses.length === 1 &&
  responses[0] === "y" &&
  topological([loss]).some((node) => node === exampleInput(advantages));

/** What TRL's trainers of sampled completions hand out; for what they do not, a sentence. */
function checkSampled({ name }: Objective, made: Emitted): void {
  const refuse = (what: string): never =>
    fail(
      "emit-trainer",
      `emit trl: ${cite(name)} ${what}, which TRL's GRPOTrainer does not hand out; emit it for torch and write the trainer.`,
    );
  for (const { models, name: own } of made.statistics) {
    const [model, ...others] = models;
    const fits =
      others.length === 0 && (own === "log_probs" || (own === "entropy" && model === "policy"));
    if (!fits) refuse(`needs ${own} of ${models.join(" and ")}`);
    if (model !== "policy" && model !== "old" && model !== "ref")
      refuse(`reads the model ${cite(model!)}`);
  }
  if (
    made.arguments.states.length > 0 ||
    made.coupled.length > 0 ||
    made.totals.some((one) => !one.counts)
  )
    refuse("couples examples or has state, and needs the completions of a whole step at once");
  for (const { source, name: own } of made.arguments.tensors)
    if (source.kind === "data" && own !== advantages) refuse(`reads ${cite(own)}`);
}

/** The lines of the file after the loss. \`bySequence\` says that the sampling policy is read by sequences: RLOO hands those out. */
export function sampledLines(
  objective: Objective,
  made: Emitted,
  className: string,
  bySequence: boolean,
): readonly string[] {
  checkSampled(objective, made);
  const base = bySequence ? rloo : grpo;
  const { name } = made;
  const { tensors, params } = made.arguments;
  const argumentOf = (model: string, statistic: string): string | undefined =>
    made.statistics
      .filter((one) => one.name === statistic && one.models[0] === model)
      .map(made.nameOf)[0];
  const [logps, entropy] = [argumentOf("policy", "log_probs"), argumentOf("policy", "entropy")];
  const [old, ref] = [argumentOf("old", "log_probs"), argumentOf("ref", "log_probs")];
  const oldLogps = tensors.find(({ source }) => source.kind === "logps" && source.model === "old");
  const totals = made.totals.map((one) => one.name);
  const perToken = Object.entries(objective.metrics)
    .filter(([, node]) => !node.axes.includes("batch"))
    .map(([metric]) => metric);
  const settled = {
    ...base,
    options: base.options.filter((one) => one !== "beta" || ref === undefined),
  };
  const scaled = !bySequence;
  return [
    ...importing(settled, { name, columns: [], params }),
    `class ${className}(${base.trainer}):`,
    `    """TRL's ${base.trainer} with the loss ${name}. Parameters of the loss are the fields of ${base.config} with their names;`,
    `    others are given as loss_params={...}. Options of TRL's own losses are refused."""`,
    `    def __init__(self, model, reward_funcs=None, args=None, *others, loss_params=None, **kwargs):`,
    ...numbersLines(name, params),
    `        if args is not None:`,
    `            refuse_options(args, numbers)`,
    `            if getattr(args, "use_vllm", False) and getattr(args, "vllm_importance_sampling_correction", False):`,
    `                raise ValueError("vllm_importance_sampling_correction changes TRL's own losses, and the loss here is ${name}; set it to False.")`,
    ...(ref === undefined
      ? []
      : [
          `            if args.beta == 0:`,
          `                raise ValueError("${name} reads the reference, which TRL has where beta is not 0; set beta.")`,
        ]),
    `        super().__init__(model, reward_funcs, args, *others, **kwargs)`,
    `        self.loss_params = params_of(self.args, numbers, loss_params)`,
    ``,
    `    def _compute_loss(self, model, inputs):`,
    `        ids, mask = inputs["completion_ids"], inputs["completion_mask"]`,
    `        width, train = ids.size(1), self.model.training`,
    `        images = ("pixel_values", "image_grid_thw", "num_images", "pixel_attention_mask", "spatial_shapes", "num_tiles",`,
    `            "image_sizes", "token_type_ids", "mm_token_type_ids", "image_position_ids")`,
    `        log_probs, entropy, aux_loss = self._get_per_token_logps_and_entropies(model,`,
    `            torch.cat([inputs["prompt_ids"], ids], 1), torch.cat([inputs["prompt_mask"], mask], 1), width, compute_entropy=True,`,
    `            compute_aux_loss=self.aux_loss_enabled, **{one: inputs.get(one) for one in images})`,
    `        mask = mask * inputs["tool_mask"] if "tool_mask" in inputs else mask`,
    `        given = {"mask": mask, ${string(advantages)}: inputs[${string(advantages)}]}`,
    ...(logps === undefined ? [] : [`        given[${string(logps)}] = log_probs`]),
    ...(entropy === undefined ? [] : [`        given[${string(entropy)}] = entropy`]),
    ...(old === undefined
      ? []
      : [
          `        old = inputs.get("old_per_token_logps")  # none where the policy has not moved since it sampled`,
          `        given[${string(old)}] = log_probs.detach() if old is None else old`,
        ]),
    ...(oldLogps === undefined
      ? []
      : [`        given[${string(oldLogps.name)}] = inputs["old_logps"]`]),
    ...(ref === undefined ? [] : [`        given[${string(ref)}] = inputs["ref_per_token_logps"]`]),
    ...(scaled
      ? [
          `        steps = self.current_gradient_accumulation_steps if train else 1`,
          ...(totals.includes("tokens")
            ? [
                `        given["tokens"] = inputs["num_items_in_batch"].clamp(min=1.0) / self.accelerator.num_processes`,
                `        if train:  # those of a generated batch are the tokens of several steps`,
                `            given["tokens"] = given["tokens"] * steps / self.args.steps_per_generation`,
              ]
            : []),
          ...(totals.includes("examples") ? [`        given["examples"] = len(ids) * steps`] : []),
        ]
      : []),
    `        loss, metrics = ${name}(**given, **self.loss_params)`,
    ...(scaled && totals.length === 0 ? [`        loss = loss / steps`] : []),
    `        self.flag = metrics.pop("undefined")`,
    `        if self.aux_loss_enabled:`,
    `            loss = loss + self.router_aux_loss_coef * aux_loss${scaled ? " / steps" : ""}`,
    `            metrics["aux_loss"] = aux_loss.detach()`,
    `        values = torch.stack(list(metrics.values()))`,
    `        weights = values.new_tensor([mask.sum() if name in PER_TOKEN else len(ids) for name in metrics])`,
    `        total, count = self.accelerator.reduce(torch.stack([values * weights, weights]), reduction="sum")`,
    `        for name, value in zip(metrics, (total / count).tolist()):`,
    `            self._metrics["train" if train else "eval"][name].append(value)`,
    `        return loss`,
    ``,
    `    def training_step(self, *args, **kwargs):`,
    `        made = super().training_step(*args, **kwargs)`,
    `        verify({"undefined": self.flag})  # after the backward pass, so that reading the flag waits for nothing`,
    `        return made`,
    ``,
    `PER_TOKEN = {${["", ...perToken].map(string).join(", ")}}  # metrics that are averages over tokens`,
  ];
}
