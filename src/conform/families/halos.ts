// ContextualAI/HALOs, train/trainers.py: losses of pairs, and KTO, whose mismatched completions are recorded as token
// log-probabilities.

import { fromUnpaired, type MismatchedRows } from "../../batch/unpaired.ts";
import type { Objective } from "../../dsl/index.ts";
import { halosCdpo, halosDpo, halosIpo, halosKto, halosSimpo } from "../../objectives/index.ts";
import type { Golden } from "../golden.ts";
import { choice, fixed, nested, param, type Keys } from "../keys.ts";
import { naming, type Layout } from "../layout.ts";
import { member, tensor, type Place } from "../place.ts";
import type { Row } from "../row.ts";

const row = (trainer: string, loss: Keys, make: (options: object) => Objective): Row => ({
  names: [`halos/${trainer}`, `halos/${trainer} humanline`],
  keys: {
    cls: fixed(trainer),
    loss: nested(loss),
    humanline: choice("humanline", true, false),
    log_epsilon_P: param("log_epsilon_P"),
    log_epsilon_R: param("log_epsilon_R"),
  },
  objective: make,
});

/** An entry of the logits that no probability is left for. */
const improbable = -1000;
/** log(1 − e^x) for x ≤ 0. */
const complement = (x: number): number =>
  Math.max(improbable, x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x)));

/**
 * The mismatched completions: rows of logits under which the token 0 has the recorded log-probabilities, entry 1 the rest
 * and the others nothing. A token counts if either model's log-probability is not 0; a row without any gets one.
 */
function mismatched({ inputs, shapes }: Golden): MismatchedRows {
  const [rows, length, vocab] = [2 * shapes.examples, shapes.length, shapes.vocab];
  const read = (name: string): Float64Array => tensor(member(inputs, name), [rows, length - 1]);
  const [policy, ref] = [read("KL_policy_token_logps"), read("KL_ref_token_logps")];
  const positions = Array.from({ length: rows * length }, (_, at) => at);
  // where the log-probability of the token at a position is recorded, which logits one position earlier predict
  const place = (at: number): number => Math.floor(at / length) * (length - 1) + (at % length) - 1;
  const isToken = (at: number): boolean =>
    at % length > 0 && (policy[place(at)] !== 0 || ref[place(at)] !== 0);
  const isEmpty = (row: number): boolean =>
    !positions.slice(row * length, (row + 1) * length).some(isToken);
  const logits = (logps: Float64Array): Float64Array => {
    const all = new Float64Array(rows * length * vocab).fill(improbable);
    for (const at of positions) {
      const logp = (at + 1) % length === 0 ? 0 : logps[place(at + 1)]!;
      all.set([logp, complement(logp)], at * vocab);
    }
    return all;
  };
  return {
    input_ids: positions.map(() => 0),
    completion_mask: positions.map((at) =>
      Number(isToken(at) || (at % length === 1 && isEmpty(Math.floor(at / length)))),
    ),
    policy_logits: logits(policy),
    ref_logits: logits(ref),
    shape: [rows, length, vocab],
  };
}

/** Rows of which the first half is desirable. */
const unpaired: Layout = (golden) => {
  const { examples, length, vocab } = golden.shapes;
  const shape = [2 * examples, length, vocab] as const;
  const at = (name: string): Place => member(golden.inputs, name);
  const data = {
    input_ids: tensor(at("input_ids"), [2 * examples, length]),
    completion_mask: tensor(at("completion_mask"), [2 * examples, length]),
    policy_logits: tensor(at("policy_logits"), shape),
    ref_logits: tensor(at("ref_logits"), shape),
    shape,
    label: Array.from({ length: 2 * examples }, (_, row) => Number(row < examples)),
    KL: mismatched(golden),
  };
  return {
    batch: naming(golden.file, () => fromUnpaired(data)),
    gradient: tensor(member(golden.outputs, "grad_policy_logits"), shape),
  };
};

const beta = param("beta", 0.1);
const weights = {
  desirable_weight: param("desirable_weight", 1),
  undesirable_weight: param("undesirable_weight", 1),
};

export const halos: readonly Row[] = [
  row("DPOTrainer", { beta }, halosDpo),
  row("CDPOTrainer", { beta, epsilon: param("epsilon", 0.2) }, halosCdpo),
  row("IPOTrainer", { tau: param("tau", 0.1) }, halosIpo),
  row(
    "SimPOTrainer",
    { beta: param("beta", 10), gamma_beta_ratio: param("gamma_beta_ratio", 0.3) },
    halosSimpo,
  ),
  {
    ...row("KTOTrainer", { beta, ...weights }, halosKto),
    layout: unpaired,
    // recorded for the desirable half and the undesirable half, of which the metrics are averages
    quantities: () => ({ chosen_rewards: null, rejected_rewards: null }),
  },
];
