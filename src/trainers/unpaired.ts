// A KTOTrainer whose loss is an emitted function of single completions: one override, compute_loss. Completions of other
// prompts, which estimate a divergence, are data to the gradient, so each is handed over as one log-probability.

import { substitute } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { exampleInput, logpsFromLogits } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import { calling, ending, returning, routed, type TrainerText } from "./common.ts";
import { importing, making, reference, type Base } from "./opening.ts";
import { string } from "./string.ts";

const base: Base = {
  trainer: "KTOTrainer",
  config: "KTOConfig",
  options: ["loss_type", "beta", "desirable_weight", "undesirable_weight"],
  each: "completion",
};

/** What the label of an example is called, and the log-probabilities of the completion of another prompt. */
const label = "desirable";
const other = "kl";
const otherLogps = { policy: "kl_logps", ref: "ref_kl_logps" } as const;

/** Arguments that are not columns of the dataset. */
export const ofUnpaired: readonly string[] = [label, ...Object.values(otherLogps)];

/** Whether an objective is one of single completions with labels. */
export const isUnpaired = ({ responses, loss }: Objective): boolean =>
  responses[0] === "y" &&
  responses.every((one) => one === "y" || one === other) &&
  topological([loss]).some((node) => node === exampleInput(label));

/** The objective with one log-probability in place of each completion of another prompt. */
export function withoutOthers(objective: Objective): Objective {
  if (!objective.responses.includes(other)) return objective;
  const replaced = new Map<Node, Node>(
    (["policy", "ref"] as const).map((model) => [
      logpsFromLogits(model, other),
      exampleInput(otherLogps[model]),
    ]),
  );
  const bound = (root: Node): Node =>
    substitute(
      [root],
      (rebuilt, original) => replaced.get(original) ?? rebuilt,
      topological([root]),
    )[0]!;
  const all = (nodes: Readonly<Record<string, Node>>): Readonly<Record<string, Node>> =>
    Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, bound(node)]));
  const loss = bound(objective.loss);
  const [metrics, next] = [all(objective.metrics), all(objective.next)];
  const left = topological([loss, ...Object.values(metrics), ...Object.values(next)]).some(
    (node) => node.tag === "input" && "response" in node.datum && node.datum.response === other,
  );
  if (left || reachesLoss(exampleInput(otherLogps.policy), loss)) {
    fail(
      "emit-trainer",
      `emit trl: ${cite(objective.name)} needs of the response ${cite(other)} more than its log-probability as data, and TRL's KTOTrainer hands out no more; emit it for torch and write the trainer.`,
    );
  }
  return { ...objective, responses: ["y"], loss, metrics, next };
}

/** Whether a gradient of the loss may pass to a node. */
function reachesLoss(node: Node, loss: Node): boolean {
  const live = new Set<Node>([loss]);
  for (const one of topological([loss]).toReversed()) {
    const passes = one.tag !== "stop" && one.dtype === "f32";
    if (live.has(one) && passes) for (const arg of one.args) live.add(arg);
  }
  return live.has(node);
}

/** Lines that ask for the completions of other prompts. */
const mismatched: readonly string[] = [
  `    def mismatched(self, model, inputs):`,
  `        """log π of completions of other prompts, as data."""`,
  `        kwargs = {name: x for name, x in inputs.items() if name not in OTHERS} | {"use_cache": False}`,
  `        kwargs |= {name[3:]: x for name, x in inputs.items() if name.startswith("KL_") and name != "KL_completion_mask"}`,
  `        labels = kwargs["input_ids"].masked_fill(inputs["KL_completion_mask"] == 0, -100)`,
  `        with torch.no_grad():`,
  `            said = model(**kwargs, labels=labels, fused_lm_head=True)["log_probs"]`,
  `        return said[:, 1 - labels.size(1):].sum(1)`,
  ``,
];

/** Lines that give the reference's part of what the function reads. */
function referenceLines(trainer: TrainerText, others: boolean): readonly string[] {
  const { ref, readsRefLogps, readsBoth } = trainer;
  const asked = (more: string): string =>
    `self.reference(lambda model: model(**kwargs, labels=labels, fused_lm_head=True${more}))`;
  if (readsBoth || Object.keys(ref).length > 0) {
    return [
      `        ref = ${asked(readsBoth ? ", only_hidden=True" : trainer.isOwn ? `, role="ref"` : "")}`,
      readsBoth
        ? `        beside = [(ref["hidden"], ref["weight"], ref["bias"], ref["project"])]`
        : `        given |= {name: ref[field][:, -width:] for name, field in REF.items()}`,
      ...(others
        ? [
            `        given[${string(otherLogps.ref)}] = self.reference(lambda model: self.mismatched(model, inputs))`,
          ]
        : []),
    ];
  }
  if (!readsRefLogps && !others) return [];
  return [
    `        if self.precompute_ref_logps:`,
    ...(readsRefLogps ? [`            given["ref_logps"] = inputs["ref_logps"]`] : []),
    ...(others ? [`            given[${string(otherLogps.ref)}] = inputs["ref_KL_logps"]`] : []),
    `        else:`,
    ...(readsRefLogps
      ? [`            given["ref_logps"] = ${asked("")}["log_probs"][:, -width:].sum(1)`]
      : []),
    ...(others
      ? [
          `            given[${string(otherLogps.ref)}] = self.reference(lambda model: self.mismatched(model, inputs))`,
        ]
      : []),
  ];
}

/** The lines of the file after the loss; \`given\` are the arguments of the loss. */
export function unpairedLines(
  trainer: TrainerText,
  definitions: readonly string[],
  given: ReadonlySet<string>,
): readonly string[] {
  const { columns, readsBoth, isOwn } = trainer;
  const readsRef =
    trainer.readsRefLogps ||
    readsBoth ||
    Object.keys(trainer.ref).length > 0 ||
    given.has(otherLogps.ref);
  const others = given.has(otherLogps.policy);
  const otherRefs = given.has(otherLogps.ref);
  const more = isOwn ? `, role="policy"${readsBoth ? ", beside=beside" : ""}` : "";
  const names = ["completion_mask", "label", "ref_logps", "ref_KL_logps", ...columns];
  return [
    ...importing(base, trainer),
    ...definitions,
    ...making(
      base,
      trainer,
      others || otherRefs
        ? []
        : [
            `args = copy.copy(args)`,
            `args.loss_type = "apo_zero_unpaired"  # TRL's name of a loss that reads no completions of other prompts`,
          ],
    ),
    ...(readsRef ? reference : []),
    ...(others || otherRefs ? mismatched : []),
    `    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):`,
    `        kwargs = {name: x for name, x in inputs.items() if name not in OTHERS} | {"use_cache": False}`,
    `        labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)`,
    `        mask = inputs["completion_mask"][:, 1:]`,
    `        width, given = mask.size(1), {"mask": mask, "${label}": inputs["label"]}`,
    ...columns.map((one) => `        given[${string(one)}] = inputs[${string(one)}]`),
    ...(others
      ? [`        given[${string(otherLogps.policy)}] = self.mismatched(model, inputs)`]
      : []),
    ...referenceLines(trainer, otherRefs),
    ...(isOwn
      ? []
      : [`        if self.aux_loss_enabled:`, `            kwargs["output_router_logits"] = True`]),
    `        outputs = dict(model(**kwargs, labels=labels, fused_lm_head=True${more}).items())`,
    `        given |= {name: outputs[field][:, -width:] for name, field in POLICY.items()}`,
    ...calling(trainer),
    ...routed(trainer),
    `        self.log_metrics(metrics, inputs, mask, ${isOwn ? "{}" : "outputs"}, given["${label}"])`,
    ...returning(trainer),
    `    def log_metrics(self, metrics, inputs, mask, outputs, desirable):`,
    `        """TRL's metrics; those of the loss are of all ranks already."""`,
    `        mode = "train" if self.model.training else "eval"`,
    `        there = {"chosen": bool((desirable > 0.5).any()), "rejected": bool((desirable <= 0.5).any())}`,
    `        there["margins"] = all(there.values())`,
    `        for name, value in metrics.items():`,
    `            if there.get(name.rpartition("/")[2], True):  # as TRL has it, no average over none`,
    `                self._metrics[mode][name].append(self.accelerator.gather(value.detach().reshape(1)).mean().item())`,
    `        own = {"chosen": mask * inputs["label"][:, None], "rejected": mask * ~inputs["label"][:, None]}`,
    `        tokens = [("logits/" + name, "mean_logits", part) for name, part in own.items()] + [("entropy", "entropy", mask)]`,
    `        for name, field, part in tokens:`,
    `            if outputs and name not in metrics:`,
    `                sums = torch.stack([(outputs[field][:, -mask.size(1):].detach() * part).sum(), part.sum()])`,
    `                total, count = self.accelerator.reduce(sums, reduction="sum").tolist()`,
    `                if count:`,
    `                    self._metrics[mode][name].append(total / count)`,
    `        if mode == "train":`,
    `            seen = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum()).sum().item()`,
    `            self._total_train_tokens += seen // self._tp_size`,
    `        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]`,
    ``,
    ...ending(trainer, [
      `OTHERS = {"KL_" + name for name in ("input_ids", "attention_mask", "completion_mask", "token_type_ids", "mm_token_type_ids")}`,
      `OTHERS |= {${names.map(string).join(", ")}}`,
    ]),
  ];
}
