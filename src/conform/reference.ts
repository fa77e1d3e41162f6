// The interpreter as an engine: the formula as it was written and its derivative as it was derived, in float64, with
// nothing rewritten in between but the derivative of σ, which sources round in their own way.

import { gradient } from "../ad/gradient.ts";
import type { Batch } from "../batch/batch.ts";
import { binary, count, reduce } from "../core/build.ts";
import { nameOfDatum } from "../core/datum.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import { expand, scatterRows, type Tensor } from "../reference/tensor.ts";
import { noLogits, type Computed, type Engine } from "./engine.ts";
import { asRecorded } from "./rounding.ts";

export const overBatch = (node: Node): Node =>
  node.axes.includes("batch") ? binary("over", reduce("sum", "batch", node), count("batch")) : node;

/** One number per example, whether or not the term depends on it, unless there is to be one number in all. */
const listed = (tensor: Tensor, length: number | undefined, batch: Batch): Float64Array =>
  length === 1 ? tensor.data : perExample(tensor, batch);

const perExample = (tensor: Tensor, batch: Batch): Float64Array =>
  expand(tensor, ["batch"], batch).data;

/**
 * The gradient that a file records: with respect to the policy's logits, or, where the loss reads none, to the scores of
 * one response after the other. Other tensors, such as those of mismatched completions, are data in every source.
 */
export function recordedGradient(
  inputs: readonly Input[],
  slopes: readonly Tensor[],
  batch: Batch,
): ArrayLike<number> {
  const slopeOf = new Map(inputs.map(({ name }, position) => [name, slopes[position]!]));
  const bindings = inputs.map(({ name }) => batch.inputs[name]);
  const bound = bindings.find((binding) => binding?.height === "logits");
  if (bound?.height === "logits") {
    const own = inputs.filter(({ name }) => {
      const binding = batch.inputs[name];
      return binding?.height === "logits" && binding.tensor === bound.tensor;
    });
    const gradients = Object.fromEntries(own.map(({ name }) => [name, slopeOf.get(name)!]));
    return scatterRows(bound.tensor, gradients, batch);
  }
  const scores = Object.keys(batch.responses).map((response) =>
    slopeOf.get(nameOfDatum({ kind: "reward", response })),
  );
  if (scores.some((slope) => slope === undefined)) return noLogits();
  return scores.flatMap((slope) => [...perExample(slope!, batch)]);
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
      (node): node is Input => node.tag === "input" && isDifferentiated(node),
    );
    const made = { inputs, slopes: asRecorded(gradient(loss, inputs)) };
    derived.set(loss, made);
    return made;
  };

  return {
    name: "reference",
    run: async ({ objective, params, quantities, state }, batch, expected): Promise<Computed> => {
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
      const values = evaluate(wanted, batch, { ...params, ...state });
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
        gradient: recordedGradient(inputs, values.slice(2, 2 + inputs.length), batch),
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
