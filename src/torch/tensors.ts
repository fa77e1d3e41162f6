// The tensors that an emitted function is handed over: their shapes, what each holds, and how it is called. What a trainer has
// a name for goes by that name; the responses of an objective share one tensor, row after row.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Entered } from "./height.ts";
import type { Family } from "./stack.ts";

/** `rows` are sequences: those of the first response, then as many of the next. `examples` are one number for each example. */
export type ArgumentShape = "rows, tokens, vocab" | "rows, tokens" | "rows" | "examples";

/** What a tensor holds, for whoever calls the function. */
export type TensorSource =
  | { readonly kind: "statistic"; readonly statistic: Statistic }
  | { readonly kind: "logits" | "logps"; readonly model: ModelName }
  | { readonly kind: "mask"; readonly family: Family }
  | { readonly kind: "ids" | "lengths" }
  /** Inputs of the batch of this name; with the response after it where it ends in a dot. */
  | { readonly kind: "data"; readonly input: string };

export interface TensorArgument {
  readonly name: string;
  readonly shape: ArgumentShape;
  /** Whether its type is left as it is: ids, masks and logits. */
  readonly whole: boolean;
  /** What it is, for the comment beside it. */
  readonly meaning: string;
  readonly source: TensorSource;
}
const of = { policy: "π", ref: "π_ref" } as const;

/** What an input is called and which shape it has; inputs of several responses share one argument. */
export function tensorOf(
  node: Node & { readonly tag: "input" },
  entered: Entered,
): Omit<TensorArgument, "name"> & { readonly wish: string } {
  const statistic = entered.statistics.find(({ inputs }) => Object.values(inputs).includes(node));
  const shape = node.axes.some(isTokenAxis)
    ? "rows, tokens"
    : node.name.startsWith("example.")
      ? "examples"
      : "rows";
  if (statistic !== undefined) {
    const { name, models, formula, differentiated } = statistic;
    const ref = models.length === 1 && models[0] === "ref";
    const written = ref ? formula.replaceAll("π", of.ref) : formula;
    return {
      wish: ref ? `ref_${name}` : name,
      shape,
      whole: false,
      meaning: differentiated ? written : `${written}, data`,
      source: { kind: "statistic", statistic },
    };
  }
  const [kind = "", name = ""] = node.name.split(".");
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
  switch (kind) {
    case "ids":
      return { ...real("ids", "y_t", { kind: "ids" }), whole: true };
    case "lengths":
      return real("lengths", "|y|, data", { kind: "lengths" });
    case "policy":
      return real("logps", "log π(y | x)", { kind: "logps", model: "policy" });
    case "ref":
      return real("ref_logps", "log π_ref(y | x), data", { kind: "logps", model: "ref" });
    case "reward":
      return real("rewards", "scores of a reward model", { kind: "data", input: "reward." });
    default:
      return real(name, `${kind === "tokens" ? "of each token" : "of each example"}, data`, {
        kind: "data",
        input: kind === "tokens" ? `tokens.${name}.` : node.name,
      });
  }
}

/** Which inputs share an argument: those of one name, whatever their response. */
export function sharedName(
  node: Node & { readonly tag: "input" },
  responses: readonly string[],
): string {
  if (node.name.startsWith("example.")) return node.name;
  const token = node.axes.find(isTokenAxis);
  const response =
    token === undefined
      ? responses.find((one) => node.name.endsWith(`.${one}`))
      : responseOf(token);
  return response === undefined ? node.name : node.name.slice(0, -response.length);
}
