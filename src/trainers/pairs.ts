// A DPOTrainer whose loss is an emitted function: one override, compute_loss, that asks the model's head for the statistics that
// the function reads, hands over what the trainer knows of the reference, and logs TRL's metrics by TRL's names.

import { dict, string } from "./string.ts";

/** What the lines of a trainer depend on. */
export interface PairsTrainer {
  /** The name of the emitted function, and of the class. */
  readonly name: string;
  readonly className: string;
  /** How the file makes the model's head hand out statistics. */
  readonly headLines: readonly string[];
  /** Statistics of the policy by argument: the name that the head gives them. */
  readonly policy: Readonly<Record<string, string>>;
  /** Statistics of each token of the reference by argument; what it is a sum of needs none. */
  readonly ref: Readonly<Record<string, string>>;
  /** Whether one log-probability a sequence is read of the reference. */
  readonly readsRefLogps: boolean;
  /** Whether statistics of both models are read from the policy's head. */
  readonly readsBoth: boolean;
  /** Whether tokens of prompts are read as well. */
  readonly readsPrompts: boolean;
  /** Whether the file brings its own head. */
  readonly isOwn: boolean;
  /** Numbers of each example, which are columns of the dataset. */
  readonly columns: readonly string[];
  /** Which rows the function takes. */
  readonly rows: "both" | "chosen";
  readonly states: Readonly<Record<string, number>>;
  /** Metrics that are averages over tokens: of all, or of chosen ones. */
  readonly perToken: Readonly<Record<string, "all" | "chosen" | "rejected">>;
}

/** Lines that give the reference's part of what the function reads. */
function referenceLines(trainer: PairsTrainer): readonly string[] {
  const { ref, readsRefLogps, readsBoth, isOwn } = trainer;
  const role = isOwn ? `, role="ref"` : "";
  const tokens = Object.keys(ref).length > 0;
  if (!readsRefLogps && !tokens && !readsBoth) return [];
  const cached = readsRefLogps && !tokens && !readsBoth;
  return cached
    ? [
        `        if self.precompute_ref_logps:`,
        `            given["ref_logps"] = torch.cat([inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]])`,
        `        else:`,
        `            ref = self.reference(kwargs, labels${role})`,
        `            given["ref_logps"] = ref["log_probs"][:, -width:].sum(1)`,
      ]
    : [
        `        ref = self.reference(kwargs, labels${readsBoth ? ", only_hidden=True" : role})`,
        ...(readsBoth
          ? [`        kwargs["beside"] = [(ref["hidden"], ref["weight"], ref["bias"])]`]
          : [
              ...(readsRefLogps
                ? [`        given["ref_logps"] = ref["log_probs"][:, -width:].sum(1)`]
                : []),
              `        given |= {name: ref[field][:, -width:] for name, field in REF.items()}`,
            ]),
      ];
}

/** The class. */
export function pairsLines(trainer: PairsTrainer): readonly string[] {
  const { name, className, headLines, policy, ref, columns, rows, states, perToken } = trainer;
  const readsRef = trainer.readsRefLogps || trainer.readsBoth || Object.keys(ref).length > 0;
  const needsTokens = trainer.readsBoth || Object.keys(ref).length > 0;
  const hasState = Object.keys(states).length > 0;
  return [
    `class ${className}(DPOTrainer):`,
    `    """TRL's DPOTrainer with the loss ${name}. Parameters of the loss are the fields of DPOConfig with their names; others`,
    `    are given as loss_params={...}. loss_type, use_weighting and the like of DPOConfig belong to TRL's losses and are`,
    `    refused."""`,
    `    def __init__(self, *args, loss_params=None, **kwargs):`,
    `        super().__init__(*args, **kwargs)`,
    `        refuse_options(self.args)`,
    `        known = inspect.signature(${name}).parameters`,
    `        numbers = [n for n, p in known.items() if isinstance(p.default, float) and n not in STATES]`,
    `        for given in set(loss_params or {}) - set(numbers):`,
    `            raise ValueError(f"loss_params has {given!r}, which ${name} does not take; it takes {', '.join(numbers)}.")`,
    `        own = {n: float(getattr(self.args, n)) for n in numbers if hasattr(self.args, n)}`,
    `        self.loss_params, self.loss_state = {**own, **(loss_params or {})}, dict(STATES)`,
    ...(needsTokens
      ? [
          `        if self.precompute_ref_logps:`,
          `            raise ValueError("${name} reads more of the reference than a log-probability for each sequence; leave out "`,
          `                "precompute_ref_log_probs.")`,
        ]
      : []),
    ...headLines.map((line) => `        ${line}`),
    ...(columns.length > 0
      ? [
          `        self.data_collator = with_columns(self.data_collator, ${JSON.stringify(columns)})`,
        ]
      : []),
    ...(columns.length > 0
      ? [
          ``,
          `    def _set_signature_columns_if_needed(self):`,
          `        super()._set_signature_columns_if_needed()`,
          `        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *${JSON.stringify(columns)}]))`,
        ]
      : []),
    ``,
    ...(readsRef
      ? [
          `    def reference(self, kwargs, labels, **more):`,
          `        """What the reference says: a model of its own, or the policy with its adapter off or as it was."""`,
          `        adapter, model = contextlib.nullcontext(), self.ref_model`,
          `        if model is None:`,
          `            model, policy = self.model, self.accelerator.unwrap_model(self.model)`,
          `            adapter = use_adapter(policy, adapter_name="ref" if "ref" in policy.peft_config else None)`,
          `        plain = disable_gradient_checkpointing(self.model, self.args.gradient_checkpointing_kwargs)`,
          `        with torch.no_grad(), plain, adapter:`,
          `            return model(**kwargs, labels=labels, fused_lm_head=True, **more)`,
          ``,
        ]
      : []),
    `    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):`,
    `        others = {${["completion_mask", "ref_chosen_logps", "ref_rejected_logps", ...columns].map(string).join(", ")}}`,
    `        kwargs = {name: x for name, x in inputs.items() if name not in others} | {"use_cache": False}`,
    `        labels = inputs["input_ids"].masked_fill(inputs[${string(trainer.readsPrompts ? "attention_mask" : "completion_mask")}] == 0, -100)`,
    `        mask = inputs["completion_mask"][:, 1:]`,
    `        width, given = mask.size(1), {}`,
    ...referenceLines(trainer),
    `        outputs = model(**kwargs, labels=labels, fused_lm_head=True)`,
    // prompt-learning PEFT puts virtual tokens before the real ones
    `        given |= {name: outputs[field][:, -width:] for name, field in POLICY.items()}`,
    ...columns.map((one) => `        given[${string(one)}] = inputs[${string(one)}]`),
    `        given["mask"] = mask`,
    ...(trainer.readsPrompts
      ? [`        given["prompt_mask"] = inputs["attention_mask"][:, 1:] * (mask == 0)`]
      : []),
    ...(rows === "chosen"
      ? [
          `        given = {name: x.chunk(2)[0] for name, x in given.items()}  # the loss reads chosen completions only`,
        ]
      : []),
    hasState
      ? `        loss, metrics, state = ${name}(**given, **self.loss_params, **self.loss_state)`
      : `        loss, metrics = ${name}(**given, **self.loss_params)`,
    ...(hasState
      ? [
          `        if self.model.training:`,
          `            self.loss_state = {name: float(x) for name, x in state.items()}`,
        ]
      : []),
    ...(trainer.isOwn
      ? []
      : [
          `        for name, z, part in zip(("chosen", "rejected"), outputs["mean_logits"][:, -width:].chunk(2), mask.chunk(2)):`,
          `            metrics["logits/" + name] = (z * part).sum() / part.sum()`,
        ]),
    `        self.log_metrics(metrics, inputs, mask)`,
    `        if return_outputs:`,
    `            raise ValueError("${className} makes no logits to return; evaluate without compute_metrics.")`,
    `        return loss`,
    ``,
    `    def log_metrics(self, metrics, inputs, mask):`,
    `        """TRL's metrics: averages over pairs, or over tokens with their counts, of all ranks."""`,
    `        mode = "train" if self.model.training else "eval"`,
    `        pairs = mask.new_tensor(len(mask) // 2)`,
    `        counts = dict(zip(("chosen", "rejected", "all"), [*map(torch.sum, mask.chunk(2)), mask.sum()]))`,
    `        self.flag = metrics.pop("undefined")`,
    `        for name, value in metrics.items():`,
    `            count = self.accelerator.gather(counts.get(PER_TOKEN.get(name), pairs).reshape(1))`,
    `            value = self.accelerator.gather(value.detach().reshape(1))`,
    `            self._metrics[mode][name].append(((value * count).sum() / count.sum()).item())`,
    `        if mode == "train":`,
    `            seen = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum()).sum().item()`,
    `            self._total_train_tokens += seen // self._tp_size`,
    `        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]`,
    ``,
    `    def training_step(self, *args, **kwargs):`,
    `        made = super().training_step(*args, **kwargs)`,
    `        verify({"undefined": self.flag})  # after the backward pass, so that reading the flag waits for nothing`,
    `        return made`,
    ...(hasState
      ? [
          ``,
          `    def _save_checkpoint(self, model, trial):`,
          `        super()._save_checkpoint(model, trial)`,
          `        folder = os.path.join(self._get_output_dir(trial), f"checkpoint-{self.state.global_step}")`,
          `        if self.args.should_save:`,
          `            with open(os.path.join(folder, "loss_state.json"), "w") as file:`,
          `                json.dump(self.loss_state, file)`,
          ``,
          `    def train(self, resume_from_checkpoint=None, **kwargs):`,
          `        folder = resume_from_checkpoint`,
          `        if folder is True:`,
          `            folder = get_last_checkpoint(self.args.output_dir)`,
          `        if folder and os.path.exists(path := os.path.join(folder, "loss_state.json")):`,
          `            with open(path) as file:`,
          `                self.loss_state = json.load(file)`,
          `        return super().train(resume_from_checkpoint=resume_from_checkpoint, **kwargs)`,
        ]
      : []),
    ``,
    `STATES = {${Object.entries(states)
      .map(([key, value]) => `${string(key)}: ${/[.e]/.test(String(value)) ? value : `${value}.0`}`)
      .join(", ")}}`,
    `PER_TOKEN = ${dict(perToken)}`,
    `# statistics by argument, as the head of the policy and of the reference calls them`,
    `POLICY = ${dict(policy)}`,
    ...(Object.keys(ref).length > 0 ? [`REF = ${dict(ref)}`] : []),
  ];
}

/** What every such file imports, and refuses. */
export const pairsHead = (name: string, hasColumns: boolean): readonly string[] => [
  `import contextlib, dataclasses, json, os`,
  `import trl`,
  `from packaging.version import Version`,
  `if Version(trl.__version__) < Version("1.16"):`,
  `    raise ImportError(f"this trainer needs TRL 1.16 or newer, but this is {trl.__version__}; pip install 'trl>=1.16'.")`,
  `from trl import DPOConfig, DPOTrainer`,
  `from trl.models.utils import disable_gradient_checkpointing`,
  `from trl.trainer.utils import add_fused_lm_head, maybe_gather_lm_head_ctx, use_adapter`,
  `from accelerate.utils import is_peft_model`,
  `from transformers.trainer_utils import get_last_checkpoint`,
  ``,
  `def refuse_options(args):`,
  `    """Options of TRL's own losses would have no effect here, so none may be set."""`,
  `    initial = {one.name: one.default for one in dataclasses.fields(DPOConfig)}`,
  `    given = {name: getattr(args, name) for name in ("loss_weights", "use_weighting", "f_divergence_type", "ld_alpha")}`,
  `    changed = [name for name, value in given.items() if value != initial[name]]`,
  `    for name in [*changed, *(["loss_type"] if list(args.loss_type) != ["sigmoid"] else [])]:`,
  `        raise ValueError(f"{name} belongs to TRL's own losses, and the loss here is ${name}; leave it out.")`,
  ``,
  ...(hasColumns
    ? [
        `def with_columns(collator, names):`,
        `    """Batches of a collator with numbers of each example, which are columns of the dataset."""`,
        `    def collate(examples):`,
        `        batch = collator(examples)`,
        `        for name in names:`,
        `            if any(name not in one for one in examples):`,
        `                raise ValueError(f"the dataset has no column {name!r}, which ${name} reads; add it, a number for each pair.")`,
        `            batch[name] = torch.tensor([float(one[name]) for one in examples])`,
        `        return batch`,
        `    return collate`,
        ``,
      ]
    : []),
];
