// The arguments of an emitted function: what it is handed over, in which shape and under which name. Tensors hold the rows of
// all responses, in the order in which the objective declares them; numbers have the defaults of the objective.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { topological, type Input, type Node, type Param } from "../core/node.ts";
import type { NumberRange } from "../core/range.ts";
import { cite } from "../core/quote.ts";
import { fail } from "../core/error.ts";
import type { Entered, EmitHeight } from "./height.ts";
import type { Namer } from "./names.ts";
import type { Statistic } from "../seam/statistics.ts";
import { sharedName, tensorOf, type TensorArgument } from "./tensors.ts";
import { isPrompt, type ModelName } from "../core/inputs.ts";
import { modelsOf } from "./operator.ts";
import { rowsOf, type Family } from "./stack.ts";

export interface NumberArgument {
  readonly name: string;
  /** The name that the objective gave it. */
  readonly param: string;
  /** Undefined where a value must be given. */
  readonly initial: number | undefined;
  readonly range: NumberRange;
}
export interface Arguments {
  readonly tensors: readonly TensorArgument[];
  readonly params: readonly NumberArgument[];
  readonly states: readonly NumberArgument[];
  /** The argument that a leaf of the expressions is handed over by. */
  readonly of: (node: Node) => string;
  readonly mask: ((family: Family) => string) | null;
  /** The masks that are handed over. */
  readonly masks: readonly string[];
  /** Where ids lie outside the vocabulary, as an expression; null where there are no logits. */
  readonly outside: string | null;
  /** The argument that holds the logits of a model. */
  readonly logits: (model: ModelName) => string;
  /** The local name of a statistic that is made from logits. */
  readonly statistic: (statistic: Statistic) => string;
}

/** Checks that every response is one whose rows are handed over. */
function checkRows(roots: readonly Node[], responses: readonly string[]): void {
  for (const node of topological(roots)) {
    const token = node.axes.find(isTokenAxis);
    if (token === undefined) continue;
    const response = rowsOf(responseOf(token));
    if (!responses.includes(response))
      fail(
        "missing-response",
        `emit: the objective reads the tokens of ${cite(response)}, which it does not declare; declare that response.`,
      );
  }
}

/** The logits that statistics are made of. */
function logitsOf(
  statistics: readonly Statistic[],
  namer: Namer,
): ReadonlyMap<ModelName, TensorArgument> {
  return new Map(
    modelsOf(statistics).map((model) => [
      model,
      {
        name: namer.fresh(model === "policy" ? "logits" : `${model}_logits`),
        shape: "rows, tokens, vocab",
        whole: true,
        meaning:
          { policy: "z(v) of the policy", ref: "of the reference, data" }[model] ??
          `of ${model}, data`,
        source: { kind: "logits", model },
      },
    ]),
  );
}

export function argumentsOf(
  roots: readonly Node[],
  entered: Entered,
  responses: readonly string[],
  from: EmitHeight,
  namer: Namer,
  tiles: boolean,
): Arguments {
  checkRows(roots, responses);
  const order = topological(roots);
  const byShared = new Map<string, TensorArgument>();
  const nameOf = new Map<Node, string>();
  // what the policy says, what the reference says, and then what else there is
  const rank = ({ datum }: Input): number => {
    if (datum.kind === "statistic") return datum.models.includes("policy") ? 0 : 1;
    return "model" in datum ? Number(datum.model !== "policy") : 2;
  };
  const inputs = order.filter((node) => node.tag === "input").toSorted((a, b) => rank(a) - rank(b));
  for (const node of inputs) {
    const key = sharedName(node);
    const known = byShared.get(key);
    if (known !== undefined) {
      nameOf.set(node, known.name);
      continue;
    }
    const { wish, ...rest } = tensorOf(node, entered);
    const made = { name: namer.fresh(wish), ...rest };
    byShared.set(key, made);
    nameOf.set(node, made.name);
  }
  const localName = new Map<Statistic, string>();
  for (const statistic of entered.statistics) {
    for (const own of Object.values(statistic.inputs)) {
      const name = nameOf.get(own);
      if (name !== undefined) localName.set(statistic, name);
    }
  }
  // statistics may be made with parameters, where they are made here
  const made =
    from === "logits" || tiles
      ? topological(entered.statistics.flatMap(({ definitions }) => Object.values(definitions)))
      : [];
  const numbers = (kind: Param["kind"]): readonly NumberArgument[] =>
    [...new Set([...order, ...made])]
      .filter((node): node is Param => node.tag === "param" && node.kind === kind)
      .map((node) => {
        const name = namer.fresh(node.name);
        nameOf.set(node, name);
        return { name, param: node.name, initial: node.initial, range: node.range };
      });
  const byName = (a: NumberArgument, b: NumberArgument): number => (a.name < b.name ? -1 : 1);
  const params = numbers("param").toSorted(byName);
  const states = numbers("state").toSorted(byName);
  const prompts = order.some((node) =>
    ("axis" in node ? [...node.axes, node.axis] : node.axes).some(
      (axis) => isTokenAxis(axis) && isPrompt(responseOf(axis)),
    ),
  );
  const masks: readonly TensorArgument[] =
    from === "logps"
      ? []
      : [
          {
            name: "mask",
            shape: "rows, tokens",
            whole: true,
            meaning: "1 on completions",
            source: { kind: "mask", family: "completion" },
          },
          ...(prompts
            ? [
                {
                  name: "prompt_mask",
                  shape: "rows, tokens",
                  whole: true,
                  meaning: "1 on prompts",
                  source: { kind: "mask", family: "prompt" },
                } as const,
              ]
            : []),
        ];
  const statistics = new Set(localName.values());
  const handed = [...byShared.values()];
  const logits = logitsOf(from === "logits" ? entered.statistics : [], namer);
  const ids: TensorArgument = {
    name: "ids",
    shape: "rows, tokens",
    whole: true,
    meaning: "y_t, which logits at the same place predict",
    source: { kind: "ids" },
  };
  const tensors =
    from !== "logits"
      ? handed
      : [
          ...logits.values(),
          ...(handed.some(({ name }) => name === "ids") ? [] : [ids]),
          ...handed.filter(({ name }) => !statistics.has(name)),
        ];
  const [first] = logits.values();
  return {
    logits: (model) => logits.get(model)!.name,
    outside: first === undefined ? null : `((ids < 0) | (ids >= ${first.name}.shape[-1]))`,
    statistic: (statistic) => localName.get(statistic)!,
    tensors: [...tensors, ...masks],
    masks: masks.map(({ name }) => name),
    params,
    states,
    of: (node) => nameOf.get(node) ?? "",
    mask: from === "logps" ? null : (family) => (family === "prompt" ? "prompt_mask" : "mask"),
  };
}
