// A GKDTrainer whose loss is an emitted function of a student and its teacher: one override, compute_loss, with heads that hand out
// statistics of both, so that the logits of neither model are stored. TRL generates completions as ever.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import type { Emitted } from "../torch/emit.ts";
import { rowGroups } from "../torch/operator.ts";
import { ownHeads, trlHeads, type Second } from "./heads.ts";
import { importing, numbersLines, type Base } from "./opening.ts";
import { dict, string } from "./string.ts";

const teacher = "teacher";

const base: Base = {
  trainer: "GKDTrainer",
  config: "GKDConfig",
  module: "trl.experimental.gkd",
  options: ["beta", "loss_type"],
  each: "completion",
};

const second: Second = { field: "teacher_model", isPlain: true };

/** A field of the configuration that is of the sampling, whatever the loss calls so. */
const ofSampling = "temperature";

/** Whether an objective is one of single completions that a teacher scores. */
export const isDistilled = ({ responses, models }: Objective): boolean =>
  responses.length === 1 && responses[0] === "y" && models.includes(teacher);

/** What TRL's trainer of a student and its teacher hands out; for what it does not, a sentence. */
function checkDistilled({ name }: Objective, made: Emitted): void {
  const refuse = (what: string): never =>
    fail(
      "emit-trainer",
      `emit trl: ${cite(name)} ${what}, which TRL's GKDTrainer does not hand out; emit it for torch and write the trainer.`,
    );
  for (const model of made.statistics.flatMap(({ models }) => models))
    if (model !== "policy" && model !== teacher) refuse(`reads the model ${cite(model)}`);
  if (
    made.arguments.states.length > 0 ||
    made.coupled.length > 0 ||
    made.totals.some((one) => !one.counts)
  )
    refuse("couples examples or has state, and needs the completions of a whole step at once");
  for (const { source, name: own } of made.arguments.tensors) {
    if (source.kind === "data") refuse(`reads ${cite(own)}`);
    if (source.kind === "mask" && source.family === "prompt") refuse("reads prompts");
  }
}

/** A method that counts the tokens of a whole step. */
const scaling: readonly string[] = [
  `    def tokens_of(self, mask, count):`,
  `        """Tokens of the whole step, for each rank, since gradients are averaged over them. TRL counts those of the dataset;`,
  `        where completions may have been generated since, parts of a step weigh the same, each by its own tokens."""`,
  `        own = self.accelerator.reduce(mask.sum(), reduction="sum")`,
  `        if count is None:`,
  `            count = own`,
  `        elif self.seq_kd or self.lmbda > 0:`,
  `            count = own * self.current_gradient_accumulation_steps`,
  `        elif not self.args.average_tokens_across_devices:`,
  `            count = self.accelerator.reduce(torch.as_tensor(count, device=mask.device), reduction="sum")`,
  `        return count / self.accelerator.num_processes`,
  ``,
];

/** The lines of the file after the loss; `isOwn` says that it brings its own heads. */
export function distilledLines(
  objective: Objective,
  made: Emitted,
  className: string,
  isOwn: boolean,
): readonly string[] {
  checkDistilled(objective, made);
  const { name } = made;
  const { params } = made.arguments;
  const groups = rowGroups(made.statistics);
  const both = groups.some((group) => group.name === "both");
  const ofModel = (model: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      made.statistics
        .filter(({ models }) => both || models[0] === model)
        .map((one) => [made.nameOf(one), isOwn ? made.nameOf(one) : one.name]),
    );
  const [policy, other] = [ofModel("policy"), both ? {} : ofModel(teacher)];
  const readsOther = Object.keys(other).length > 0;
  const heads = isOwn
    ? ownHeads(made, groups, second)
    : trlHeads(Object.values(policy), [], Object.values(other), second);
  const totals = made.totals.map((one) => one.name);
  const perToken = Object.entries(objective.metrics)
    .filter(([, node]) => !node.axes.includes("batch"))
    .map(([metric]) => metric);
  const sampled = params.find((one) => one.name === ofSampling);
  return [
    ...importing(base, { name, columns: [], params }),
    ...(isOwn ? [...heads.definitions, ""] : []),
    `class ${className}(${base.trainer}):`,
    `    """TRL's ${base.trainer} with the loss ${name}. Parameters of the loss are the fields of ${base.config} with their names;`,
    `    others are given as loss_params={...}. Options of TRL's own losses are refused.${sampled === undefined ? "" : ` The field ${ofSampling} is of the sampling.`}"""`,
    `    def __init__(self, model=None, teacher_model=None, args=None, *others, loss_params=None, **kwargs):`,
    ...numbersLines(name, params),
    `        if teacher_model is None or args is None:`,
    `            raise ValueError("${className} needs teacher_model=... and args=${base.config}(...); give both.")`,
    `        refuse_options(args, numbers)`,
    `        super().__init__(model, teacher_model, args, *others, **kwargs)`,
    ...(sampled === undefined
      ? []
      : [
          `        loss_params = {${string(ofSampling)}: numbers[${string(ofSampling)}], **(loss_params or {})}`,
        ]),
    `        self.loss_params = params_of(self.args, numbers, loss_params)`,
    ...heads.calls.map((line) => `        ${line}`),
    ``,
    `    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):`,
    `        if return_outputs:`,
    `            raise ValueError("${className} makes no logits to return; evaluate without compute_metrics.")`,
    `        labels, train = inputs["labels"], self.model.training`,
    `        kwargs = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}`,
    `        given = {"mask": labels[:, 1:] != -100}`,
    `        width = given["mask"].size(1)`,
    ...(both || readsOther
      ? [
          `        self.teacher_model.eval()`,
          `        with torch.no_grad():`,
          `            said = self.teacher_model(**kwargs, labels=labels, fused_lm_head=True${both ? ", only_hidden=True" : isOwn ? `, role=${string(teacher)}` : ""})`,
        ]
      : []),
    ...(both
      ? [`        beside = [(said["hidden"], said["weight"], said["bias"], said["project"])]`]
      : []),
    ...(readsOther
      ? [`        given |= {name: said[field][:, -width:] for name, field in TEACHER.items()}`]
      : []),
    `        outputs = model(**kwargs, labels=labels, fused_lm_head=True${isOwn ? `, role="policy"${both ? ", beside=beside" : ""}` : ""})`,
    `        given |= {name: outputs[field][:, -width:] for name, field in POLICY.items()}`,
    ...(totals.includes("tokens")
      ? [`        given["tokens"] = self.tokens_of(given["mask"], num_items_in_batch)`]
      : []),
    ...(totals.includes("examples")
      ? [
          `        given["examples"] = len(labels) * (self.current_gradient_accumulation_steps if num_items_in_batch is not None else 1)`,
        ]
      : []),
    `        loss, metrics = ${name}(**given, **self.loss_params)`,
    ...(totals.length === 0
      ? [
          `        if num_items_in_batch is not None:  # else the trainer divides`,
          `            loss = loss / self.current_gradient_accumulation_steps`,
        ]
      : []),
    `        self.flag = metrics.pop("undefined")`,
    `        if metrics:`,
    `            values = torch.stack(list(metrics.values()))`,
    `            weights = values.new_tensor([given["mask"].sum() if name in PER_TOKEN else len(labels) for name in metrics])`,
    `            total, count = self.accelerator.reduce(torch.stack([values * weights, weights]), reduction="sum")`,
    `            for name, value in zip(metrics, (total / count).tolist()):`,
    `                self._metrics["train" if train else "eval"][name].append(value)`,
    `        return loss`,
    ``,
    ...(totals.includes("tokens") ? scaling : []),
    `    def training_step(self, *args, **kwargs):`,
    `        made = super().training_step(*args, **kwargs)`,
    `        verify({"undefined": self.flag})  # after the backward pass, so that reading the flag waits for nothing`,
    `        return made`,
    ``,
    `PER_TOKEN = {${["", ...perToken].map(string).join(", ")}}  # metrics that are averages over tokens`,
    `# statistics by argument, as the head of the student and of the teacher calls them`,
    `POLICY = ${dict(policy)}`,
    ...(readsOther ? [`TEACHER = ${dict(other)}`] : []),
  ];
}
