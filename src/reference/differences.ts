// Gradients by central differences: the slowest way there is, and independent of every derivative rule. What
// stands under a stopped gradient keeps the value that it has at the given batch, which is what stopping means.

import type { Batch, Binding, Params } from "../batch/batch.ts";
import { vocabOf } from "../batch/logits.ts";
import { topological, type Input, type Node, type Param } from "../core/node.ts";
import { fail } from "../core/error.ts";
import { checkOptions } from "../core/options.ts";
import { evaluate, requireNodes } from "./interpret.ts";
import { readInput } from "./inputs.ts";
import type { Tensor } from "./tensor.ts";
import { cite } from "../core/quote.ts";

export interface DifferenceOptions {
  /** Half the distance between the two values, 1e-5 unless given: the error is then near 1e-10 for smooth losses. */
  readonly epsilon?: number;
}

/** The batch with one input replaced by float64 values of its own; logits get one private row per token. */
function withValues(batch: Batch, name: string, values: Float64Array): Batch {
  const binding = batch.inputs[name]!;
  const replaced = (next: Binding): Batch => ({
    ...batch,
    inputs: { ...batch.inputs, [name]: next },
  });
  if (binding.height !== "logits") return replaced({ height: binding.height, values });
  const vocab = vocabOf(binding.tensor, batch);
  const rows = values.length / vocab;
  return replaced({
    height: "logits",
    tensor: { name, data: values, rows, vocab },
    rowIndex: Uint32Array.from({ length: rows }, (_, row) => row),
  });
}

/** The value of everything stopped, at the batch itself. */
export function stoppedValues(root: Node, batch: Batch, params: Params): ReadonlyMap<Node, Tensor> {
  const stops = topological([root]).filter((node) => node.tag === "stop");
  const values = evaluate(stops, batch, params);
  return new Map(stops.map((node, position) => [node, values[position]!]));
}

/**
 * The slope of a scalar between two values of one entry, ε apart to either side: (f(x + ε) − f(x − ε)) / 2ε, for a position in
 * the flattened order of the input's axes. An entry that is not finite (a masked logit) does not move, and its slope is 0.
 */
export function slopes(
  root: Node,
  input: Input,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor>,
): (position: number, epsilon: number) => number {
  const values = readInput(input, batch).data;
  const moved = withValues(batch, input.name, values);
  const valueWith = (position: number, value: number): number => {
    const kept = values[position]!;
    values[position] = value;
    const [result] = evaluate([root], moved, params, held);
    values[position] = kept;
    return result!.data[0]!;
  };
  return (position, epsilon) => {
    const value = values[position]!;
    if (!Number.isFinite(value)) return 0;
    const [above, below] = [value + epsilon, value - epsilon];
    return (valueWith(position, above) - valueWith(position, below)) / (above - below);
  };
}

/** The slope of a scalar along a parameter, between two values ε apart to either side. */
export const paramSlope =
  (root: Node, param: Param, batch: Batch, params: Params, held: ReadonlyMap<Node, Tensor>) =>
  (epsilon: number): number => {
    const value = params[param.name] ?? param.initial ?? 0;
    const [above, below] = [value + epsilon, value - epsilon];
    const valueWith = (moved: number): number =>
      evaluate([root], batch, { ...params, [param.name]: moved }, held)[0]!.data[0]!;
    return (valueWith(above) - valueWith(below)) / (above - below);
  };

/**
 * The slope at every entry of one input, over the axes of that input.
 * @throws PrefcError "difference-undefined" if the expression is no scalar or does not read the input; what `evaluate` throws.
 */
export function centralDifference(
  root: Node,
  wrtInputName: string,
  batch: Batch,
  params: Params,
  options: DifferenceOptions = {},
): Tensor {
  requireNodes("centralDifference", [root]);
  const { epsilon = 1e-5 } = checkOptions("centralDifference", { epsilon: { above: 0 } }, options, {
    example: "{ epsilon: 1e-5 }",
  });
  const node = topological([root]).find(
    (candidate): candidate is Input => candidate.tag === "input" && candidate.name === wrtInputName,
  );
  if (node === undefined || root.axes.length > 0) {
    return fail(
      "difference-undefined",
      `centralDifference: the expression must be a scalar that reads ${cite(wrtInputName)}; reduce it, or name one of its inputs.`,
    );
  }
  const slope = slopes(root, node, batch, params, stoppedValues(root, batch, params));
  return {
    axes: node.axes,
    data: readInput(node, batch).data.map((_, position) => slope(position, epsilon)),
  };
}
