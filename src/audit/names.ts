// What trainers call the tensors of a training step. Each role lists the names that stand for all sequences, chosen ones first, and
// the pairs of names that stand for chosen and rejected ones apart. A file may mix the names of several trainers.

/** What a tensor of a step may be. */
export type Role =
  | "ids"
  | "completion"
  | "labels"
  | "attention"
  | "policy logits"
  | "ref logits"
  | "policy token logps"
  | "ref token logps"
  | "policy logps"
  | "ref logps"
  | "weights"
  | "losses"
  | "loss"
  | "gradient of logits"
  | "gradient of token logps";

export interface Names {
  readonly whole: readonly string[];
  readonly pairs: readonly (readonly [chosen: string, rejected: string])[];
}

const pair = (chosen: string): readonly [string, string] => [
  chosen,
  chosen.replace("chosen", "rejected"),
];

/** TRL's names first, then those of open-instruct, LLaMA-Factory, HALOs and OpenRLHF. */
export const names: Readonly<Record<Role, Names>> = {
  ids: {
    whole: ["input_ids", "concatenated_input_ids"],
    pairs: [
      pair("chosen_input_ids"),
      pair("chosen_combined_input_ids"),
      ["chosen_ids", "reject_ids"],
    ],
  },
  completion: {
    whole: ["completion_mask", "loss_mask", "concatenated_completion_mask"],
    pairs: [pair("chosen_completion_mask"), pair("chosen_loss_mask")],
  },
  labels: {
    whole: ["labels", "concatenated_labels"],
    pairs: [pair("chosen_labels"), pair("chosen_combined_labels")],
  },
  attention: {
    whole: ["attention_mask", "concatenated_attention_mask"],
    pairs: [
      pair("chosen_attention_mask"),
      pair("chosen_combined_attention_mask"),
      ["chosen_masks", "reject_masks"],
    ],
  },
  "policy logits": {
    whole: ["policy_logits", "logits", "all_logits"],
    pairs: [pair("policy_chosen_logits"), pair("chosen_logits")],
  },
  "ref logits": {
    whole: ["ref_logits", "reference_logits"],
    pairs: [pair("ref_chosen_logits"), pair("reference_chosen_logits")],
  },
  "policy token logps": {
    whole: ["policy_token_logps", "per_token_logps", "log_probs"],
    pairs: [pair("policy_chosen_token_logps"), pair("chosen_token_logps")],
  },
  "ref token logps": {
    whole: ["ref_token_logps", "ref_per_token_logps"],
    pairs: [pair("ref_chosen_token_logps"), pair("reference_chosen_token_logps")],
  },
  "policy logps": {
    whole: ["policy_logps", "logps", "all_logps"],
    pairs: [pair("chosen_logps"), pair("policy_chosen_logps")],
  },
  "ref logps": {
    whole: ["ref_logps", "reference_logps"],
    pairs: [pair("ref_chosen_logps"), pair("reference_chosen_logps")],
  },
  weights: { whole: ["policy_weights", "weights"], pairs: [pair("chosen_weights")] },
  losses: { whole: ["losses", "per_sequence_loss", "per_example_loss"], pairs: [] },
  loss: { whole: ["loss"], pairs: [] },
  "gradient of logits": {
    whole: ["grad_policy_logits", "policy_logits.grad"],
    pairs: [pair("grad_chosen_logits")],
  },
  "gradient of token logps": {
    whole: ["grad_token_logps", "log_probs.grad"],
    pairs: [pair("grad_chosen_token_logps")],
  },
};

/** The metric that a tensor holds, as the objective calls it; null where it holds none. */
export const metricOf = (tensor: string): string | null =>
  /^metrics\/(.+)$/s.exec(tensor)?.[1] ?? null;
