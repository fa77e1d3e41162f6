// The statistics of a row of logits that have a name: TRL's where its fused head has one, else one of ours. Each is a
// template, an expression over one response's logits, so that whatever an objective writes can be compared with it.

import { at, binary, count, reduce, unary } from "../core/build.ts";
import { idsOf, logitsOf, logpFromLogits, logSoftmaxOf, type ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";

/** A statistic by name: what it is of one response of one model, or of both models. */
export interface Template {
  readonly name: string;
  /** How papers write it, for tables and comments. */
  readonly formula: string;
  readonly models: 1 | 2;
  /** The expression over logits; with two models the first is the one that weighs. */
  readonly of: (response: string, model: ModelName, other: ModelName) => Node;
}

const logPi = (model: ModelName, response: string): Node => logSoftmaxOf(logitsOf(model, response));
const piOf = (model: ModelName, response: string): Node => unary("exp", logPi(model, response));
const sum = (node: Node): Node => reduce("sum", "vocab", node);
const largest = (node: Node): Node => reduce("max", "vocab", node);
const labelOf = (model: ModelName, response: string): Node =>
  at(logitsOf(model, response), "vocab", idsOf(response));

/** In the order in which they are looked for: a term that is another one's part comes after it. */
export const templates: readonly Template[] = [
  {
    name: "log_probs",
    formula: "log π(y_t)",
    models: 1,
    of: (response, model) => logpFromLogits(model, response),
  },
  {
    name: "entropy",
    formula: "−Σ_v π(v) log π(v)",
    models: 1,
    of: (response, model) =>
      unary("neg", sum(binary("times", piOf(model, response), logPi(model, response)))),
  },
  {
    name: "log_sum_sq_probs",
    formula: "log Σ_v π(v)²",
    models: 1,
    of: (response, model) => unary("log", sum(unary("square", piOf(model, response)))),
  },
  {
    name: "mean_logits",
    formula: "1/V Σ_v z(v)",
    models: 1,
    of: (response, model) => binary("over", sum(logitsOf(model, response)), count("vocab")),
  },
  {
    name: "is_top1",
    formula: "[π(y_t) = max_v π(v)]",
    models: 1,
    of: (response, model) =>
      unary("toReal", binary("ge", labelOf(model, response), largest(logitsOf(model, response)))),
  },
  {
    name: "max_log_probs",
    formula: "max_v log π(v)",
    models: 1,
    of: (response, model) => largest(logPi(model, response)),
  },
  {
    name: "kl",
    formula: "Σ_v π(v) (log π(v) − log π′(v))",
    models: 2,
    of: (response, model, other) =>
      sum(
        binary(
          "times",
          piOf(model, response),
          binary("minus", logPi(model, response), logPi(other, response)),
        ),
      ),
  },
  {
    name: "cross_entropy",
    formula: "−Σ_v π(v) log π′(v)",
    models: 2,
    of: (response, model, other) =>
      unary("neg", sum(binary("times", piOf(model, response), logPi(other, response)))),
  },
  {
    name: "label_logits",
    formula: "z(y_t)",
    models: 1,
    of: (response, model) => labelOf(model, response),
  },
  {
    name: "max_logits",
    formula: "max_v z(v)",
    models: 1,
    of: (response, model) => largest(logitsOf(model, response)),
  },
  {
    name: "logsumexp",
    formula: "log Σ_v e^z(v)",
    models: 1,
    of: (response, model) => reduce("logSumExp", "vocab", logitsOf(model, response)),
  },
];
