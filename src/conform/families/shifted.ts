// Classifier losses of pairs whose threshold is a running average: LLaMA-Factory.

import { objective, type Expr, type Given, type PerExample } from "../../dsl/index.ts";
import type { Node } from "../../core/node.ts";
import { lengthDesensitised, shiftedBcoPair, type Pair } from "../../objectives/index.ts";
import { fixed, param } from "../keys.ts";
import type { Quantities } from "../quantities.ts";
import type { Row } from "../row.ts";

/** The policy's log-probabilities as LLaMA-Factory has them under ld_alpha. */
function recorded(_: unknown, given: ReadonlySet<string>): Quantities {
  if (!given.has("ld_alpha")) return {};
  const data = (of: (g: Given<Pair>) => Expr<PerExample>): Node => {
    const carrier = objective("data", ["w", "l"], of, {
      source: "carries a log-probability, and is not optimised",
    });
    return lengthDesensitised({ reference: false })(carrier).loss;
  };
  return {
    chosen_logps: data((g) => g.policy.logps(g.y.w)),
    rejected_logps: data((g) => g.policy.logps(g.y.l)),
  };
}

/** LLaMA-Factory, src/llamafactory/train/dpo/trainer.py, bco_loss. */
const classifier: Row = {
  names: [/^llamafactory\/bco_pair(?: \+ ld_alpha \(policy only\))?$/],
  keys: { fn: fixed("bco_loss"), beta: param("beta", 0.1), ld_alpha: param("ld_alpha") },
  objective: (_, given) =>
    given.has("ld_alpha")
      ? lengthDesensitised({ reference: false })(shiftedBcoPair())
      : shiftedBcoPair(),
  quantities: recorded,
};

export const shifted: readonly Row[] = [classifier];
