// The interpreter as an engine: the formula as it was written and its derivative as it was derived, in float64, with
// nothing rewritten in between.

import { gradient } from "../ad/gradient.ts";
import type { Batch, LogitsBinding } from "../batch/batch.ts";
import { binary, count, reduce } from "../core/build.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import { expand, scatterRows, type Tensor } from "../reference/tensor.ts";
import type { Computed, Engine } from "./engine.ts";

const overBatch = (node: Node): Node =>
  node.axes.includes("batch") ? binary("over", reduce("sum", "batch", node), count("batch")) : node;

/** One number per example, whether or not the term depends on it, unless there is to be one number in all. */
const listed = (tensor: Tensor, length: number | undefined, batch: Batch): Float64Array =>
  length === 1 ? tensor.data : perExample(tensor, batch);

const perExample = (tensor: Tensor, batch: Batch): Float64Array =>
  expand(tensor, ["batch"], batch).data;

/** The tensor of policy logits that a recorded gradient belongs to. */
function policyTensor(inputs: readonly Input[], batch: Batch): LogitsBinding["tensor"] {
  const bound = inputs
    .map(({ name }) => batch.inputs[name])
    .find((binding) => binding?.height === "logits");
  return bound?.height === "logits"
    ? bound.tensor
    : fail(
        "golden-no-logits",
        "The objective reads no logits of the policy, so there is no gradient to compare; give its family a layout.",
      );
}

export function referenceEngine(): Engine {
  const derived = new Map<
    Node,
    { readonly inputs: readonly Input[]; readonly slopes: readonly Node[] }
  >();
  const derive = (
    loss: Node,
  ): { readonly inputs: readonly Input[]; readonly slopes: readonly Node[] } => {
    const known = derived.get(loss);
    if (known !== undefined) return known;
    const inputs = topological([loss]).filter(
      (node): node is Input => node.tag === "input" && isDifferentiated(node.name),
    );
    const made = { inputs, slopes: gradient(loss, inputs) };
    derived.set(loss, made);
    return made;
  };

  return {
    name: "reference",
    run: async ({ objective, params, quantities }, batch, expected): Promise<Computed> => {
      const loss = overBatch(objective.loss);
      const { inputs, slopes } = derive(loss);
      const averages = Object.keys(expected.averages).map(
        (name) => [name, overBatch(objective.metrics[name]!)] as const,
      );
      const metrics = Object.keys(expected.metrics).map(
        (name) => [name, objective.metrics[name]!] as const,
      );
      const named = Object.entries(expected.quantities).map(
        ([name, { length }]) =>
          [name, length === 1 ? overBatch(quantities[name]!) : quantities[name]!] as const,
      );
      const wanted = [
        loss,
        objective.loss,
        ...slopes,
        ...[...averages, ...metrics, ...named].map(([, node]) => node),
      ];
      const values = evaluate(wanted, batch, params);
      const valueOf = new Map(wanted.map((node, position) => [node, values[position]!]));
      const lists = (nodes: readonly (readonly [string, Node])[]): Record<string, Float64Array> =>
        Object.fromEntries(
          nodes.map(([name, node]) => [
            name,
            listed(valueOf.get(node)!, expected.quantities[name]?.length, batch),
          ]),
        );
      return {
        loss: valueOf.get(loss)!.data[0]!,
        gradient: scatterRows(
          policyTensor(inputs, batch),
          Object.fromEntries(inputs.map(({ name }, position) => [name, values[2 + position]!])),
          batch,
        ),
        perExample: objective.loss.axes.includes("batch")
          ? perExample(valueOf.get(objective.loss)!, batch)
          : null,
        quantities: lists(named),
        metrics: lists(metrics),
        averages: Object.fromEntries(
          averages.map(([name, node]) => [name, valueOf.get(node)!.data[0]!]),
        ),
      };
    },
    close: () => undefined,
  };
}
