// Central differences at a few entries of an input, in float64 and to fourth order. They know no derivative
// rule, so they check the derivation of a gradient; what is stopped keeps the value it has at the batch.

import type { Batch, Params } from "../batch/batch.ts";
import { numbersIn } from "../batch/logits.ts";
import { fail } from "../core/error.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import type { Tensor } from "../reference/tensor.ts";
import { cite } from "../core/quote.ts";

/** Steps from the largest; the first one whose two estimates agree is taken, so that a kink nearby does not count. */
const steps = [1e-3, 1e-4, 1e-5] as const;
const agreement = 1e-5;

/** A scalar as a function of the entries of one input, at a batch. */
export interface Differences {
  /** d root / d entry, for a position in the flattened order of the input's axes. */
  readonly at: (position: number) => number;
}

/** The value of everything stopped, at the batch itself. */
export function stoppedValues(root: Node, batch: Batch, params: Params): ReadonlyMap<Node, Tensor> {
  const stops = topological([root]).filter((node) => node.tag === "stop");
  const values = evaluate(stops, batch, params);
  return new Map(stops.map((node, position) => [node, values[position]!]));
}

/** Differences of a scalar with respect to one input. `scale` is the size of gradient that counts as not small. */
export function differences(
  root: Node,
  input: Input,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor>,
  scale: number,
): Differences {
  const { values, moved, place } = movable(input, batch);
  const valueAt = (index: number, value: number): number => {
    const kept = values[index]!;
    values[index] = value;
    const [result] = evaluate([root], moved, params, held);
    values[index] = kept;
    return result!.data[0]!;
  };
  return {
    at: (position) => {
      const index = place(position);
      const x = values[index]!;
      const slope = (h: number): number =>
        (valueAt(index, x + h) - valueAt(index, x - h)) / (2 * h);
      let extrapolated = 0;
      for (const h of steps) {
        const [coarse, fine] = [slope(h), slope(h / 2)];
        extrapolated = (4 * fine - coarse) / 3;
        if (Math.abs(fine - coarse) <= agreement * Math.max(scale, Math.abs(fine))) break;
      }
      return extrapolated;
    },
  };
}

/** The batch with one input in float64 values that may be moved, and where each entry of the input lies in them. */
function movable(
  input: Input,
  batch: Batch,
): { values: Float64Array; moved: Batch; place: (position: number) => number } {
  const binding = batch.inputs[input.name]!;
  const replaced = (next: typeof binding): Batch => ({
    ...batch,
    inputs: { ...batch.inputs, [input.name]: next },
  });
  if (binding.height !== "logits") {
    const values = Float64Array.from(binding.values);
    return { values, moved: replaced({ ...binding, values }), place: (position) => position };
  }
  const { tensor, rowIndex } = binding;
  const numbers = numbersIn(tensor);
  if (numbers === null) {
    return fail(
      "reference-needs-host-data",
      `check: ${cite(input.name)} is in a GPU buffer; give its values as a typed array.`,
    );
  }
  const values = Float64Array.from(numbers);
  return {
    values,
    moved: replaced({ ...binding, tensor: { ...tensor, data: values, dtype: "f32" } }),
    place: (position) =>
      rowIndex[Math.floor(position / batch.vocab)]! * batch.vocab + (position % batch.vocab),
  };
}
