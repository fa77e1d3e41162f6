// Generalised knowledge distillation: the student learns the teacher's distribution at every token, by a divergence that
// goes from one Kullback-Leibler divergence to the other.

import {
  constant,
  exp,
  log,
  logSoftmax,
  objective,
  param,
  softplus,
  sum,
  where,
} from "../dsl/index.ts";
import type { Expr, Given, ObjectiveOf, PerToken, PerVocab } from "../dsl/index.ts";
import {
  checkApplies,
  checkOptions,
  positive,
  type NumberRange,
  type OptionKinds,
} from "./options.ts";
import { tokens, total } from "./pairwise.ts";

/** Which divergence, and defaults of the run-time parameters of the same names. */
export interface GkdOptions {
  /**
   * "forward_kl" is KL(teacher ‖ student), TRL's beta = 0; "reverse_kl" is KL(student ‖ teacher), its beta = 1; "jsd" is the
   * Jensen-Shannon divergence between them; "jsd".
   */
  readonly divergence?: "jsd" | "forward_kl" | "reverse_kl";
  /** β, where between the two it lies; 0.5. Read with "jsd". */
  readonly beta?: number;
  /** τ, by which the logits of both models are divided; none. */
  readonly temperature?: number;
}
const share: NumberRange = { above: 0, below: 1 };
export const gkdOptions: OptionKinds = {
  divergence: ["jsd", "forward_kl", "reverse_kl"],
  beta: share,
  temperature: positive,
};

type Logs = Expr<PerVocab<"y">>;

/** Σ_v p (log p − log q) of log p and log q. */
const divergence = (p: Logs, q: Logs): Expr<PerToken<"y">> =>
  sum("vocab", exp(p).times(p.minus(q)));

/** log(eᵃ + eᵇ). Either side has the right slope where both are equal, so rounding cannot decide between two wrong ones. */
const logPlus = (a: Logs, b: Logs): Logs =>
  where(a.gt(b), a.plus(softplus(b.minus(a))), b.plus(softplus(a.minus(b))));

/** β KL(t ‖ m) + (1 − β) KL(s ‖ m), m = (1 − β) s + β t */
function between(s: Logs, t: Logs, beta: number): Expr<PerToken<"y">> {
  const β = param("beta", beta, share);
  const rest = constant(1).minus(β);
  const m = logPlus(s.plus(log(rest)), t.plus(log(β)));
  return β.times(divergence(t, m)).plus(rest.times(divergence(s, m)));
}

/**
 * Σ_t D(teacher, student) / Σ |y|: the divergence of every completion token, averaged over the tokens of the batch
 *
 * Agarwal et al. 2023 (arXiv 2306.13649), equation 1. TRL 1.16.0, trl/experimental/gkd/gkd_trainer.py,
 * `generalized_jsd_loss`, whose trainer never hands a temperature on. The teacher is the model "teacher".
 */
export function gkd(options: GkdOptions = {}): ObjectiveOf<"y"> {
  const given = checkOptions("gkd", gkdOptions, options);
  const { divergence: kind = "jsd", beta = 0.5, temperature } = given;
  checkApplies("gkd", "divergence", kind, given, { beta: ["jsd"] });
  const τ = temperature === undefined ? undefined : param("temperature", temperature, positive);
  const logs = (z: Logs): Logs => logSoftmax("vocab", τ === undefined ? z : z.over(τ));
  return objective(
    "gkd",
    ["y"],
    ({ policy, teacher, y }: Given<"y", "teacher">) => {
      const [s, t] = [logs(policy.logits(y.y)), logs(teacher.logits(y.y))];
      const each = {
        forward_kl: () => divergence(t, s),
        reverse_kl: () => divergence(s, t),
        jsd: () => between(s, t, beta),
      }[kind]();
      return total(each).over(tokens(y.y));
    },
    {
      models: ["teacher"],
      source:
        "Agarwal et al. 2023, arXiv 2306.13649, equation 1; TRL 1.16.0, trl/experimental/gkd/gkd_trainer.py, generalized_jsd_loss",
    },
  );
}
