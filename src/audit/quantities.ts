// What is compared of a step, as expressions: log-probabilities, then weights, losses, the loss and metrics, in the order in which
// a trainer computes them.

import { binary, count, reduce } from "../core/build.ts";
import { logpFromLogits, logpsFromLogits } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { Bound } from "../pipeline/bind.ts";
import { factorsOf, inputsOf } from "../reference/parts.ts";
import type { Quantities } from "./reading.ts";

/** The names of quantities that are one number for each token or sequence of a model and a response. */
export const tokenKey = (model: string, response: string): string =>
  `log π(y_t), ${model}, ${response}`;
export const sequenceKey = (model: string, response: string): string =>
  `log π(y), ${model}, ${response}`;
export const weightKey = (response: string | null): string =>
  response === null ? "weights" : `weights, ${response}`;
export const gradientKey = (response: string): string => `d loss / d log π(y_t), ${response}`;
export const lossesKey = "loss of each example";
export const lossKey = "loss";

/** The average over the batch, of what has a number for each example. */
export const overBatch = (node: Node): Node =>
  node.axes.includes("batch") ? binary("over", reduce("sum", "batch", node), count("batch")) : node;

/** The responses that an expression reads of models. */
const responsesOf = (node: Node): ReadonlySet<string> =>
  new Set(
    inputsOf([node]).flatMap(({ datum }) =>
      "model" in datum && "response" in datum ? [datum.response] : [],
    ),
  );

/** Everything that is computed of a step whose file holds the logits of these models. */
export function quantitiesOf(
  { loss, metrics }: Pick<Bound, "loss" | "metrics">,
  models: readonly string[],
  responses: readonly string[],
): Quantities {
  const found = new Map<string, Node>();
  for (const model of models)
    for (const response of responses) {
      found.set(tokenKey(model, response), logpFromLogits(model, response));
      found.set(sequenceKey(model, response), logpsFromLogits(model, response));
    }
  const factors = factorsOf(loss);
  for (const response of responses) {
    const own = factors.filter((node) => {
      const read = responsesOf(node);
      return read.size === 1 && read.has(response);
    });
    if (own.length > 0) found.set(weightKey(response), product(own));
  }
  if (factors.length > 0) found.set(weightKey(null), product(factors));
  if (loss.axes.includes("batch")) found.set(lossesKey, loss);
  found.set(lossKey, overBatch(loss));
  for (const [name, node] of Object.entries(metrics)) found.set(name, overBatch(node));
  return found;
}

const product = (factors: readonly Node[]): Node =>
  factors.reduce((all, one) => binary("times", all, one));
