// Losses of completions that were sampled: TRL's GRPO and RLOO, whose advantages and earlier policies are recorded as
// numbers of the tokens, and distillation, whose teacher is recorded as the reference.

import { changedGiven, objective } from "../../dsl/index.ts";
import type { Given, Model, ObjectiveOf } from "../../dsl/index.ts";
import { exampleInput, logitsOf, tokenInput } from "../../core/inputs.ts";
import type { Batch, Binding, LogitsBinding } from "../../batch/batch.ts";
import { fromTrl } from "../../batch/trl.ts";
import { gkd, grpo, rloo } from "../../objectives/index.ts";
import { grpoReaders } from "../../objectives/grpo-options.ts";
import { choice, option, param, unused, type Key, type Keys } from "../keys.ts";
import { isGiven, type Golden } from "../golden.ts";
import { naming, type Layout } from "../layout.ts";
import { entries, finite, member, real, tensor, text, type Place } from "../place.ts";
import type { Row } from "../row.ts";
import { nameOf } from "./given.ts";

/** All 2B rows as completions "y", with logits of further models under recorded names. */
function completions(golden: Golden, logits: Readonly<Record<string, string>> = {}): Batch {
  const { examples, length, vocab } = golden.shapes;
  const rows = 2 * examples;
  const at = (name: string): Place => member(golden.inputs, name);
  const data = {
    input_ids: tensor(at("input_ids"), [rows, length]),
    completion_mask: tensor(at("completion_mask"), [rows, length]),
    policy_logits: tensor(at("policy_logits"), [rows, length, vocab]),
    ...Object.fromEntries(
      Object.entries(logits).map(([field, name]) => [
        field,
        tensor(at(name), [rows, length, vocab]),
      ]),
    ),
    shape: [rows, length, vocab] as const,
    responses: ["y"],
  };
  return naming(golden.file, () => fromTrl(data));
}

const gradientOf = ({ outputs, shapes: { examples, length, vocab } }: Golden): Float64Array =>
  tensor(member(outputs, "grad_policy_logits"), [2 * examples, length, vocab]);

const taught: Layout = (golden) => ({
  batch: completions(golden, { teacher_logits: "ref_logits" }),
  gradient: gradientOf(golden),
});

/** Completions with an advantage each, and what earlier policies said: of every token, or of the whole. */
const sampled: Layout = (golden) => {
  const { examples, length } = golden.shapes;
  const batch = completions(golden);
  const { rowIndex } = batch.inputs[nameOf(logitsOf("policy", "y"))] as LogitsBinding;
  const inputs: Record<string, Binding> = {};
  const list = (recorded: string, name: string): void => {
    const values = tensor(member(golden.inputs, recorded), [2 * examples]);
    inputs[nameOf(exampleInput(name))] = { height: "example", values };
  };
  list("advantages", "advantages");
  if (isGiven(member(golden.inputs, "old_logps"))) list("old_logps", "old_logps");
  for (const name of ["old_per_token_logps", "ref_per_token_logps"]) {
    const place = member(golden.inputs, name);
    if (!isGiven(place)) continue;
    const all = tensor(place, [2 * examples, length - 1]);
    // column t of TRL's belongs to the token that logits at t predict
    const own = Float64Array.from(rowIndex, (row) => {
      const sequence = Math.floor(row / length);
      return all[sequence * (length - 1) + (row - sequence * length)]!;
    });
    inputs[nameOf(tokenInput(name, "y"))] = { height: "token", values: own };
  }
  return {
    batch: { ...batch, inputs: { ...batch.inputs, ...inputs } },
    gradient: gradientOf(golden),
  };
};

type Made = ObjectiveOf<"y">;

/** The objective with the numbers that are recorded of earlier policies in place of models. */
const recorded = (made: Made): Made =>
  objective(
    made.name,
    ["y"],
    (g: Given<"y", "old">) => {
      const said = (tokens: string): Model => ({
        ...g.ref,
        logp: (y) => g.tokens(tokens, y as never) as never,
        logps: () => g.example("old_logps"),
      });
      return made.define(
        changedGiven<Given<"y", "old">>(g, {
          old: said("old_per_token_logps"),
          ref: said("ref_per_token_logps"),
        }),
      );
    },
    { models: ["old"], source: made.source },
  );

/** Options that a loss reads, with TRL's defaults. */
const numbers: Readonly<Record<string, number>> = {
  max_completion_length: 512,
  sapo_temperature_pos: 1,
  sapo_temperature_neg: 1.05,
  vespo_k_pos: 2,
  vespo_lambda_pos: 3,
  vespo_k_neg: 3,
  vespo_lambda_neg: 2,
};

function grpoKeys(place: Place): Keys {
  const at = (name: string): Place => member(place, name);
  const type = isGiven(at("loss_type")) ? text(at("loss_type")) : "dapo";
  const reads = (option: string): boolean => grpoReaders[option]!.includes(type);
  const hasHigh = isGiven(at("epsilon_high"));
  const read = (option: string, key: Key): Key =>
    reads(option) ? key : unused("the loss does not read it");
  return {
    loss_type: choice("loss_type", ...Object.values(grpoReaders).flat(), "grpo"),
    importance_sampling_level: choice("importance_sampling_level", "token", "sequence"),
    beta: at("beta").value === 0 ? unused("there is no divergence at 0") : param("beta"),
    use_bias_correction_kl: choice("use_bias_correction_kl", true, false),
    epsilon:
      type === "cispo" && hasHigh
        ? unused("an upper bound is given")
        : read("epsilon", param("epsilon", 0.2)),
    epsilon_high: read("epsilon_high", param("epsilon_high")),
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name, read(name, param(name, value))]),
    ),
  };
}

const perCompletion: Row["quantities"] = () => ({ logps: null });

const grpoRow: Row = {
  names: [/^trl-1\.16\/grpo\b/],
  keys: grpoKeys,
  objective: ({ loss_type = "dapo", ...options }, given) => {
    const type = loss_type as "dapo";
    return recorded(
      grpo({
        loss_type: type,
        ...options,
        ...(given.has("beta") ? { beta: 1 } : {}),
        ...(given.has("epsilon_high") ? { epsilon_high: 1 } : {}),
        ...(grpoReaders["normaliser"]!.includes(type) ? { normaliser: "given" as const } : {}),
      }),
    );
  },
  params: (golden) =>
    grpoReaders["normaliser"]!.includes(text(member(golden.params, "loss_type")))
      ? { num_items_in_batch: tensor(member(golden.inputs, "num_items_in_batch"), [])[0]! }
      : {},
  variant: (golden) =>
    isGiven(member(golden.inputs, "old_per_token_logps")) ? {} : { old: "policy" },
  layout: sampled,
  quantities: perCompletion,
  // the slopes of e^r and of the ratio that it is multiplied by cancel
  lost: ({ params, outputs }) => {
    const kl = member(outputs, "per_token_kl");
    if (!isGiven(kl)) return 0;
    const most = entries(kl)
      .flatMap(entries)
      .reduce((top, place) => Math.max(top, real(place)), 0);
    return 2 ** -51 * finite(member(params, "beta")) * most;
  },
};

const rlooRow: Row = {
  names: [/^trl-1\.16\/rloo\b/],
  keys: { epsilon: param("epsilon", 0.2), epsilon_high: param("epsilon_high") },
  objective: (_, given) => recorded(rloo(given.has("epsilon_high") ? { epsilon_high: 1 } : {})),
  layout: sampled,
  quantities: perCompletion,
};

const gkdRow: Row = {
  names: [/^trl-1\.16\/gkd\b/],
  keys: (place) => ({
    beta: [0, 1].includes(member(place, "beta").value as number)
      ? option("divergence", [
          [0, "forward_kl"],
          [1, "reverse_kl"],
        ])
      : param("beta", 0.5),
    temperature: param("temperature", 1),
  }),
  objective: (options) => gkd({ temperature: 1, ...options }),
  layout: taught,
};

export const sampledLosses: readonly Row[] = [grpoRow, rlooRow, gkdRow];
