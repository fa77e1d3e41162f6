// What emitted trainers share around the call of the loss: the batch of all ranks where a loss couples examples, the flag that is
// raised after a step, and state over a checkpoint.

import type { NumberArgument } from "../torch/arguments.ts";
import { dict, string } from "./string.ts";

/** What the lines of a trainer depend on. */
export interface TrainerText {
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
  readonly params: readonly NumberArgument[];
  readonly states: Readonly<Record<string, number>>;
  /** Whether the loss of an example depends on others, so that it is given those of all ranks. */
  readonly couples: boolean;
  /** The responses whose rows each tensor holds. */
  readonly responses: number;
  /** Arguments with one number for each example. */
  readonly perExample: readonly string[];
}

/** A method that gathers what a loss couples. */
const together = ({ responses, perExample }: TrainerText): readonly string[] => [
  `    def together(self, given):`,
  `        """The batch of all ranks, of which the own part has its gradient: the loss couples examples."""`,
  `        ranks, own = self.accelerator.num_processes, self.accelerator.process_index`,
  `        if ranks == 1:`,
  `            return given`,
  `        def every(part):`,
  `            count = self.accelerator.gather(torch.tensor([len(part)], device=part.device)).tolist()`,
  `            wide = part.detach().to(torch.promote_types(part.dtype, torch.uint8))`,
  `            for axis in range(part.dim()):`,
  `                wide = self.accelerator.pad_across_processes(wide, dim=axis)`,
  `            parts = list(self.accelerator.gather(wide).chunk(ranks))`,
  `            if part.dim() > 1:`,
  `                part = torch.nn.functional.pad(part, (0, wide.size(1) - part.size(1)))`,
  `            parts[own] = part`,
  `            return torch.cat([one[:n] for one, n in zip(parts, count)])`,
  responses === 1
    ? `        return {name: every(x) for name, x in given.items()}`
    : `        return {name: torch.cat([every(part) for part in x.chunk(${
        perExample.length === 0
          ? responses
          : `1 if name in [${perExample.map(string).join(", ")}] else ${responses}`
      })]) for name, x in given.items()}`,
  ``,
];

/** Lines that call the loss with \`given\`. */
export function calling(text: TrainerText): readonly string[] {
  const { name, states, couples } = text;
  const hasState = Object.keys(states).length > 0;
  return [
    ...(couples ? [`        given = self.together(given)`] : []),
    hasState
      ? `        loss, metrics, state = ${name}(**given, **self.loss_params, **self.loss_state)`
      : `        loss, metrics = ${name}(**given, **self.loss_params)`,
    ...(couples
      ? [
          `        # the loss of all ranks, whose gradients are averaged over them`,
          `        loss = loss + (self.accelerator.num_processes - 1) * (loss - loss.detach())`,
        ]
      : []),
    ...(hasState
      ? [
          `        if self.model.training:`,
          `            self.loss_state = {name: float(x) for name, x in state.items()}`,
        ]
      : []),
    `        self.flag = metrics.pop("undefined")`,
  ];
}

/** What follows from a loss of a router, which TRL adds to every loss. */
export const routed = ({ isOwn }: TrainerText): readonly string[] =>
  isOwn
    ? []
    : [
        `        if self.aux_loss_enabled:`,
        `            loss = loss + self.router_aux_loss_coef * outputs["aux_loss"]`,
        `            metrics["aux_loss"] = outputs["aux_loss"].detach()`,
      ];

/** The end of \`compute_loss\`. */
export const returning = ({ className }: TrainerText): readonly string[] => [
  `        if return_outputs:`,
  `            raise ValueError("${className} makes no logits to return; evaluate without compute_metrics.")`,
  `        return loss`,
  ``,
];

/** Methods after \`compute_loss\`, and the tables below the class. */
export function ending(
  text: TrainerText,
  tables: readonly string[],
  steps: boolean = true,
): readonly string[] {
  const { states, policy, ref, couples } = text;
  const hasState = Object.keys(states).length > 0;
  return [
    ...(couples ? together(text) : []),
    ...(steps
      ? [
          `    def training_step(self, *args, **kwargs):`,
          `        made = super().training_step(*args, **kwargs)`,
          `        verify({"undefined": self.flag})  # after the backward pass, so that reading the flag waits for nothing`,
          `        return made`,
          ``,
        ]
      : []),
    ...(hasState ? kept : []),
    `STATES = {${Object.entries(states)
      .map(([key, value]) => `${string(key)}: ${/[.e]/.test(String(value)) ? value : `${value}.0`}`)
      .join(", ")}}`,
    ...tables,
    `# statistics by argument, as the head of the policy and of the reference calls them`,
    `POLICY = ${dict(policy)}`,
    ...(Object.keys(ref).length > 0 ? [`REF = ${dict(ref)}`] : []),
  ];
}

/** State over a checkpoint. */
const kept: readonly string[] = [
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
  ``,
];
