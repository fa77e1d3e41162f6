// The gradient of the interpreter against central differences, and the gradient of a gradient. What is stopped keeps its value.
// Two step sizes must agree before a difference is believed; where they do not, the stretch bends too sharply to tell.
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { stoppedValues } from "../../src/reference/differences.ts";
import type { Random } from "../../src/sample/random.ts";
import type { Program } from "../../src/pipeline/pipeline.ts";
import { binary, constant, iota, reduce, unary } from "../../src/core/build.ts";
import type { Input, Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";

const epsilon = 1e-6;
const absolute = 1e-5;
const relative = 1e-3;

export interface Slopes {
  readonly complaints: readonly string[];
  /** Entries compared, and entries left out because two step sizes disagree. */
  readonly compared: number;
  readonly rough: number;
}

/** The batch with values of its own for one input, in float64, and where entry n of the input lies in them. */
function movable(
  input: Input,
  batch: Batch,
): { readonly values: Float64Array; readonly moved: Batch; readonly place: (n: number) => number } {
  const binding = batch.inputs[input.name]!;
  const values = Float64Array.from(
    binding.height === "logits" ? (binding.tensor.data as Float32Array) : binding.values,
  );
  const replaced: typeof binding =
    binding.height === "logits"
      ? { ...binding, tensor: { ...binding.tensor, data: values } }
      : { ...binding, values };
  const place = (n: number): number =>
    binding.height === "logits"
      ? binding.rowIndex[Math.floor(n / batch.vocab)]! * batch.vocab + (n % batch.vocab)
      : n;
  return {
    values,
    moved: { ...batch, inputs: { ...batch.inputs, [input.name]: replaced } },
    place,
  };
}

/** Compares derived gradients of a scalar with differences at some entries of each input. */
export function againstDifferences(
  loss: Node,
  wrt: readonly { readonly input: Input; readonly node: Node }[],
  batch: Batch,
  params: Params,
  options: { readonly entries: number; readonly random: Random; readonly what: string },
): Slopes {
  const held = stoppedValues(loss, batch, params);
  const complaints: string[] = [];
  let [compared, rough] = [0, 0];
  const derived = evaluate(
    wrt.map(({ node }) => node),
    batch,
    params,
  );
  wrt.forEach(({ input }, position) => {
    const { data } = expand(derived[position]!, input.axes, batch);
    const { values, moved, place } = movable(input, batch);
    const valueAt = (index: number, value: number): number => {
      const kept = values[index]!;
      values[index] = value;
      const [result] = evaluate([loss], moved, params, held);
      values[index] = kept;
      return result!.data[0]!;
    };
    for (const n of options.random.order(data.length).slice(0, options.entries)) {
      const index = place(n);
      const x = values[index]!;
      if (!Number.isFinite(x)) continue;
      const slope = (h: number): number =>
        (valueAt(index, x + h) - valueAt(index, x - h)) / (2 * h);
      const [fine, coarse] = [slope(epsilon), slope(4 * epsilon)];
      const tolerance = absolute + relative * Math.abs(data[n]!);
      if (Math.abs(fine - coarse) > tolerance) rough++;
      else {
        compared++;
        if (!(Math.abs(fine - data[n]!) <= tolerance))
          complaints.push(
            `${options.what} of ${input.name} is ${data[n]} at entry ${n} where differences give ${fine}`,
          );
      }
    }
  });
  return { complaints, compared, rough };
}

/** An uneven combination of the entries of the first gradient, whose own gradient tells them apart. */
export function secondOrder(program: Program): {
  readonly combined: Node;
  readonly gradients: readonly { readonly input: Input; readonly node: Node }[];
} | null {
  const [first] = program.gradients;
  if (first === undefined) return null;
  const [raw] = gradient(program.loss, [first.input]);
  const weight = first.input.axes.reduce(
    (sum, axis) => binary("plus", sum, unary("toReal", iota(axis))),
    constant(1),
  );
  const combined = first.input.axes
    .toReversed()
    .reduce((sum, axis) => reduce("sum", axis, sum), binary("over", raw!, weight));
  const inputs = program.gradients.map(({ input }) => input);
  return {
    combined,
    gradients: gradient(combined, inputs).map((node, n) => ({ input: inputs[n]!, node })),
  };
}
