// The tensors that an emitted function is handed over: their shapes, what each holds, and how it is called. What a trainer has
// a name for goes by that name; the responses of an objective share one tensor, row after row.

import { isTokenAxis } from "../core/axis.ts";
import { stackedName, type Datum } from "../core/datum.ts";
import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Input } from "../core/node.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Entered } from "./height.ts";
import { familyOf, type Family } from "./stack.ts";

/** `rows` are sequences: those of the first response, then as many of the next. `examples` are one number for each example. */
export type ArgumentShape =
  | `rows, tokens, ${string}`
  | `vocab, ${string}`
  | "rows, tokens"
  | "rows"
  | "examples";

/** What a tensor holds, for whoever calls the function. */
export type TensorSource =
  | { readonly kind: "statistic"; readonly statistic: Statistic }
  | { readonly kind: "logits"; readonly model: ModelName }
  /** What logits are made of. */
  | { readonly kind: "hidden"; readonly model: ModelName }
  | { readonly kind: "weight"; readonly model: ModelName }
  | { readonly kind: "logps"; readonly model: ModelName; readonly family: Family }
  | { readonly kind: "mask"; readonly family: Family }
  | { readonly kind: "ids" }
  | { readonly kind: "lengths"; readonly family: Family }
  /** An input of the batch; where it has a response, that input of each response. */
  | { readonly kind: "data"; readonly datum: Datum };

export interface TensorArgument {
  readonly name: string;
  readonly shape: ArgumentShape;
  /** Whether its type is left as it is: ids, masks and logits. */
  readonly whole: boolean;
  /** What it is, for the comment beside it. */
  readonly meaning: string;
  readonly source: TensorSource;
}
/** What an input is called and which shape it has; inputs of several responses share one argument. */
export function tensorOf(
  node: Input,
  entered: Entered,
): Omit<TensorArgument, "name"> & { readonly wish: string } {
  const statistic = entered.statistics.find(({ inputs }) => Object.values(inputs).includes(node));
  const shape = node.axes.some(isTokenAxis)
    ? "rows, tokens"
    : node.datum.kind === "example"
      ? "examples"
      : "rows";
  if (statistic !== undefined) {
    const { name, models, formula, differentiated } = statistic;
    const [model] = models;
    return {
      wish: models.length === 1 && model !== "policy" ? `${model}_${name}` : name,
      shape,
      whole: false,
      meaning: differentiated ? formula : `${formula}, data`,
      source: { kind: "statistic", statistic },
    };
  }
  const { datum } = node;
  const real = (
    wish: string,
    meaning: string,
    source: TensorSource,
  ): ReturnType<typeof tensorOf> => ({
    wish,
    shape,
    whole: false,
    meaning,
    source,
  });
  const family = "response" in datum ? familyOf(datum.response) : "completion";
  const before = family === "prompt" ? "prompt_" : "";
  const x = family === "prompt" ? "prompt" : "y | x";
  switch (datum.kind) {
    case "ids":
      return { ...real("ids", "y_t", { kind: "ids" }), whole: true };
    case "lengths":
      return real(`${before}lengths`, "tokens of each row, data", { kind: "lengths", family });
    case "logps":
      return datum.model === "policy"
        ? real(`${before}logps`, `log π(${x})`, { kind: "logps", model: "policy", family })
        : real(`${before}${datum.model}_logps`, `log π_${datum.model}(${x}), data`, {
            kind: "logps",
            model: datum.model,
            family,
          });
    case "reward":
      return real("rewards", "scores of a reward model", { kind: "data", datum });
    case "tokens":
      return real(datum.name, "of each token, data", { kind: "data", datum });
    case "example":
    case "named":
      return real(datum.name, "of each example, data", { kind: "data", datum });
    case "each":
    case "statistic":
    case "logits":
    case "logp":
    case "field":
    case "entry":
    case "slot":
    case "label":
      return fail(
        "emit-beyond-a-row",
        `emit: ${node.name} is handed over by no height; write the objective over logits, log-probabilities and data.`,
      );
  }
}

/** Which inputs share an argument: those of one name, whatever their response; what has no tokens is apart for prompts. */
export function sharedName({ datum, axes }: Input): string {
  const apart = !axes.some(isTokenAxis) && "response" in datum ? familyOf(datum.response) : "";
  return `${stackedName(datum)} ${apart}`;
}
