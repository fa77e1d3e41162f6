// What a run gives and what the interpreter gives, in one form: every number of a result under a name. The interpreter takes
// the gradient as differentiation leaves it, before any rewriting, so that no rule of the compiler can hide in it.
import { gradient } from "../../src/ad/gradient.ts";
import type { Program } from "../../src/pipeline/pipeline.ts";
import type { Node } from "../../src/core/node.ts";
import { evaluate, type Batch, type Params, type ValueAndGrad } from "../../src/index.ts";
import { expand, scatterRows, type Tensor } from "../../src/reference/tensor.ts";

/** Every result by name: "loss", "metric …", "perExample", "gradient …". */
export type Results = ReadonlyMap<string, ArrayLike<number>>;

/** The loss, the metrics and the loss of each example, as written. */
export const roots = ({ loss, metrics, perExample }: Program): readonly Node[] => [
  loss,
  ...Object.values(metrics),
  ...(perExample === null ? [] : [perExample]),
];

const rawGradients = new WeakMap<Program, readonly Node[]>();
/** The gradient with respect to every differentiated input. */
export const gradientsOf = (program: Program): readonly Node[] => {
  const known =
    rawGradients.get(program) ??
    gradient(
      program.loss,
      program.gradients.map(({ input }) => input),
    );
  rawGradients.set(program, known);
  return known;
};

/** What the interpreter makes of a batch; `held` gives some nodes a value. */
export function interpreted(
  program: Program,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor> = new Map(),
): Results {
  const values = evaluate([...roots(program), ...gradientsOf(program)], batch, params, held);
  const results = new Map<string, ArrayLike<number>>();
  let next = 0;
  results.set("loss", values[next++]!.data);
  for (const name of Object.keys(program.metrics))
    results.set(`metric ${name}`, values[next++]!.data);
  if (program.perExample !== null)
    results.set("perExample", expand(values[next++]!, ["batch"], batch).data);
  const byTensor = new Map<string, Record<string, Tensor>>();
  for (const { input } of program.gradients) {
    const value = values[next++]!;
    const binding = batch.inputs[input.name]!;
    if (binding.height !== "logits") {
      results.set(`gradient ${input.name}`, expand(value, input.axes, batch).data);
      continue;
    }
    byTensor.set(binding.tensor.name, {
      ...byTensor.get(binding.tensor.name),
      [input.name]: value,
    });
  }
  for (const [name, gradients] of byTensor) {
    const binding = batch.inputs[Object.keys(gradients)[0]!]!;
    if (binding.height === "logits")
      results.set(`gradient ${name}`, scatterRows(binding.tensor, gradients, batch));
  }
  return results;
}

/** What a run gave, in the same form. */
export function computed({ loss, metrics, perExample, gradients }: ValueAndGrad): Results {
  return new Map<string, ArrayLike<number>>([
    ["loss", [loss]],
    ...Object.entries(metrics).map(([name, value]) => [`metric ${name}`, [value]] as const),
    ...(perExample === undefined ? [] : [["perExample", perExample] as const]),
    ...Object.entries(gradients).map(
      ([name, data]) => [`gradient ${name}`, data as Float32Array] as const,
    ),
  ]);
}

/** The largest difference of two results; Infinity when one is not a number. */
export const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    if (Object.is(a[i], b[i])) continue;
    if (Number.isNaN(distance)) return Infinity;
    most = Math.max(most, distance);
  }
  return most;
};
/** The largest magnitude. */
export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
