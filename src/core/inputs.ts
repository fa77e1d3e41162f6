// The data an objective may read, and the heights at which it may enter. A model's logits of a response are
// the lowest input; log π(y_t) per token ("logp") and log π(y) per sequence ("logps") are expressions of
// them, until a batch brings them ready-made: then that subexpression is replaced by an input of its own.

import { isList, responseAxis, tokenAxis, type Axis } from "./axis.ts";
import { at, binary, input, reduce } from "./build.ts";
import type { ModelName } from "./datum.ts";
import type { Input, Node } from "./node.ts";

export { isPrompt, promptOf, type Datum, type Height, type ModelName } from "./datum.ts";

/** z[batch, token, vocab]: the logits that predict each completion token of the response. */
export function logitsOf(model: ModelName, response: string): Node {
  return input({ kind: "logits", model, response }, ["batch", tokenAxis(response), "vocab"]);
}

/** y[batch, token]: the completion tokens themselves. */
export function idsOf(response: string): Node {
  return input({ kind: "ids", response }, ["batch", tokenAxis(response)], "i32");
}

/** log π(v | x, y<t) over the vocabulary. */
export function logSoftmaxOf(z: Node): Node {
  return binary("minus", z, reduce("logSumExp", "vocab", z));
}

/** log π(y_t | x, y<t) from logits. */
export function logpFromLogits(model: ModelName, response: string): Node {
  return at(logSoftmaxOf(logitsOf(model, response)), "vocab", idsOf(response));
}

/** log π(y | x), the sum over the completion, from logits. */
export function logpsFromLogits(model: ModelName, response: string): Node {
  return reduce("sum", tokenAxis(response), logpFromLogits(model, response));
}

/** log π(y_t | x, y<t) as data: [batch, token]. */
export function logpInput(model: ModelName, response: string): Node {
  return input({ kind: "logp", model, response }, ["batch", tokenAxis(response)]);
}

/** What a number per response ranges over: the examples, or the responses of a list of each. */
export const perResponse = (response: string): readonly Axis[] =>
  isList(response) ? ["batch", responseAxis(response)] : ["batch"];

/** log π(y | x) as data: [batch], or [batch, response] of a list. */
export function logpsInput(model: ModelName, response: string): Node {
  return input({ kind: "logps", model, response }, perResponse(response));
}

/** A reward model's score of a response: [batch], or [batch, response] of a list; differentiated. */
export function rewardInput(response: string): Node {
  return input({ kind: "reward", response }, perResponse(response));
}

/** A number given with each response of a list, such as an advantage: [batch, response], data unless it is learned. */
export function eachInput(name: string, response: string, learned: boolean = false): Node {
  return input({ kind: "each", name, response }, perResponse(response), "f32", learned);
}

/** A number given with each example, such as a margin or a sample weight: [batch], data unless it is learned. */
export function exampleInput(name: string, learned: boolean = false): Node {
  return input({ kind: "example", name }, ["batch"], "f32", learned);
}

/** A number given with each completion token, such as a token weight: [batch, token], data unless it is learned. */
export function tokenInput(name: string, response: string, learned: boolean = false): Node {
  const axes = ["batch", tokenAxis(response)] as const;
  return input({ kind: "tokens", name, response }, axes, "f32", learned);
}

/** Whether the gradient is taken with respect to an input: what the policy says, rewards, and what is learned. */
export function isDifferentiated({ datum, learned }: Pick<Input, "datum" | "learned">): boolean {
  if (datum.kind === "statistic") return datum.models.includes("policy");
  return learned || datum.kind === "reward" || ("model" in datum && datum.model === "policy");
}
