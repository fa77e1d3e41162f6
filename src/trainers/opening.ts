// How emitted trainers begin: what the file imports, which options it refuses, how the class is made, and how it asks the
// reference.

import { rangeText } from "../core/range.ts";
import type { NumberArgument } from "../torch/arguments.ts";
import type { TrainerText } from "./common.ts";
import { string } from "./string.ts";

/** The trainer of TRL that a class is made from. */
export interface Base {
  readonly trainer: string;
  readonly config: string;
  /** Where TRL has both. */
  readonly module?: string;
  /** Fields of the configuration that belong to TRL's own losses. */
  readonly options: readonly string[];
  /** What the dataset has one number for in a column. */
  readonly each: string;
}

/** Lines that refuse parameters outside the range that the objective declares. */
function rangeLines(name: string, params: readonly NumberArgument[]): readonly string[] {
  const bounded = params.filter(({ range }) => Object.keys(range).length > 0);
  if (bounded.length === 0) return [];
  const holds = ({ from, above, to, below }: NumberArgument["range"]): string =>
    `lambda x: ${[
      ...(from === undefined ? [] : [`${from} <= `]),
      ...(above === undefined ? [] : [`${above} < `]),
      "x",
      ...(to === undefined ? [] : [` <= ${to}`]),
      ...(below === undefined ? [] : [` < ${below}`]),
    ].join("")}`;
  return [
    `    ranges = {`,
    ...bounded.map(
      (one) =>
        `        ${string(one.name)}: (${holds(one.range)}, ${string(rangeText(one.range))}),`,
    ),
    `    }`,
    `    for name, (holds, words) in ranges.items():`,
    `        if not holds(x := params.get(name, numbers[name])):`,
    `            raise ValueError(f"{name} is {x}, and ${name} takes a number {words}.")`,
  ];
}

/** What every such file imports, and refuses. */
export const importing = (
  base: Base,
  { name, columns, params }: Pick<TrainerText, "name" | "columns" | "params">,
): readonly string[] => [
  `import contextlib, copy, dataclasses, json, os`,
  `import trl`,
  `from packaging.version import Version`,
  `if Version(trl.__version__) < Version("1.16"):`,
  `    raise ImportError(f"this trainer needs TRL 1.16 or newer, but this is {trl.__version__}; pip install 'trl>=1.16'.")`,
  `from ${base.module ?? "trl"} import ${base.config}, ${base.trainer}`,
  `from trl.models.utils import disable_gradient_checkpointing`,
  `from trl.trainer.utils import add_fused_lm_head, maybe_gather_lm_head_ctx, use_adapter`,
  `from accelerate.utils import is_peft_model`,
  `from transformers.trainer_utils import get_last_checkpoint`,
  ``,
  `def refuse_options(args, numbers):`,
  `    """Options of TRL's own losses that ${name} does not read would have no effect, so none may be set."""`,
  `    fields = {one.name: one for one in dataclasses.fields(${base.config})}`,
  `    for name in [${base.options.map(string).join(", ")}]:`,
  `        field = fields[name]`,
  `        initial = field.default if field.default is not dataclasses.MISSING else field.default_factory()`,
  `        if name not in numbers and getattr(args, name) != initial:`,
  `            raise ValueError(f"{name} belongs to TRL's own losses, and the loss here is ${name}; leave it out.")`,
  ``,
  `def params_of(args, numbers, loss_params):`,
  `    """The parameters of the loss: those that are given, and the fields of the configuration that have their names."""`,
  `    params = {n: float(getattr(args, n)) for n in numbers if getattr(args, n, None) is not None} | (loss_params or {})`,
  `    for name in [n for n, initial in numbers.items() if initial is None and n not in params]:`,
  `        raise ValueError(f"{name} has no default; give loss_params={{{name!r}: ...}}.")`,
  ...rangeLines(name, params),
  `    return params`,
  ``,
  ...(columns.length > 0
    ? [
        `def with_columns(collator, names):`,
        `    """Batches of a collator with numbers of each example, which are columns of the dataset."""`,
        `    def collate(examples):`,
        `        batch = collator(examples)`,
        `        for name in names:`,
        `            if any(name not in one for one in examples):`,
        `                raise ValueError(f"the dataset has no column {name!r}, which ${name} reads; add it, a number for each ${base.each}.")`,
        `            batch[name] = torch.tensor([float(one[name]) for one in examples])`,
        `        return batch`,
        `    return collate`,
        ``,
      ]
    : []),
];

/** The parameters of the loss with their defaults, and a sentence for others. */
export const numbersLines = (
  name: string,
  params: readonly NumberArgument[],
): readonly string[] => [
  `        numbers = {${params.map((one) => `${string(one.name)}: ${one.initial ?? "None"}`).join(", ")}}`,
  `        for given in set(loss_params or {}) - set(numbers):`,
  `            raise ValueError(f"loss_params has {given!r}, which ${name} does not take; it takes {', '.join(numbers)}.")`,
];

/** The class up to its first method; `prepared` changes arguments before TRL's trainer is made with them. */
export function making(
  base: Base,
  text: TrainerText,
  prepared: readonly string[] = [],
): readonly string[] {
  const { name, className, headLines, columns } = text;
  const needsTokens = text.readsBoth || Object.keys(text.ref).length > 0;
  return [
    `class ${className}(${base.trainer}):`,
    `    """TRL's ${base.trainer} with the loss ${name}. Parameters of the loss are the fields of ${base.config} with their names;`,
    `    others are given as loss_params={...}. Options of TRL's own losses are refused."""`,
    `    def __init__(self, model, ref_model=None, args=None, *others, loss_params=None, **kwargs):`,
    ...numbersLines(name, text.params),
    `        if args is not None:`,
    `            refuse_options(args, numbers)`,
    ...prepared.map((line) => `            ${line}`),
    `        super().__init__(model, ref_model, args, *others, **kwargs)`,
    `        self.loss_params, self.loss_state = params_of(self.args, numbers, loss_params), dict(STATES)`,
    ...(needsTokens
      ? [
          `        if self.precompute_ref_logps:`,
          `            raise ValueError("${name} reads more of the reference than a log-probability for each sequence; leave out "`,
          `                "precompute_ref_log_probs.")`,
        ]
      : []),
    ...(text.isOwn
      ? [
          `        if self.aux_loss_enabled:`,
          `            raise ValueError("${name} brings a head of its own, which makes no loss of a router; set router_aux_loss_coef=0.0.")`,
        ]
      : []),
    ...headLines.map((line) => `        ${line}`),
    ...(columns.length > 0
      ? [
          `        self.data_collator = with_columns(self.data_collator, ${JSON.stringify(columns)})`,
          ``,
          `    def _set_signature_columns_if_needed(self):`,
          `        super()._set_signature_columns_if_needed()`,
          `        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *${JSON.stringify(columns)}]))`,
        ]
      : []),
    ``,
  ];
}

/** A method that asks the reference. */
export const reference: readonly string[] = [
  `    def reference(self, asked):`,
  `        """What the reference answers: a model of its own, or the policy with its adapter off or as it was."""`,
  `        adapter, model = contextlib.nullcontext(), self.ref_model`,
  `        if model is None:`,
  `            model, policy = self.model, self.accelerator.unwrap_model(self.model)`,
  `            adapter = use_adapter(policy, adapter_name="ref" if "ref" in policy.peft_config else None)`,
  `        plain = disable_gradient_checkpointing(self.model, self.args.gradient_checkpointing_kwargs)`,
  `        with torch.no_grad(), plain, adapter:`,
  `            return asked(model)`,
  ``,
];
