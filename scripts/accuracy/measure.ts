// Errors in units in the last place of f32, of what a GPU computes and of what the formula gives when it is computed naively,
// both against the interpreter in float64. A loss is measured in units of its own value; the entries of a gradient, which has
// one scale (docs/notes/0004-tolerances.md), in units of its largest entry.
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { smallestScale } from "../../src/check/error.ts";
import type { Node } from "../../src/core/node.ts";
import type { Compiled } from "../../src/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand, scatterRows, type Tensor } from "../../src/reference/tensor.ts";
import { naive } from "./naive.ts";

/** Errors of one engine on one batch. */
export interface Errors {
  readonly loss: number;
  /** The largest error of an entry. */
  readonly gradient: number;
}
export interface Measured {
  readonly gpu: Errors;
  readonly naive: Errors;
}

/** The distance from the f32 below |value| to the next one; that of 2^-102 below it, where f32 cannot resolve a result. */
export const ulp = (value: number): number =>
  2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), smallestScale))) - 23);

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const apart = (actual: ArrayLike<number>, right: ArrayLike<number>, unit: number): number => {
  let most = 0;
  for (let entry = 0; entry < right.length; entry++) {
    const error = Math.abs(actual[entry]! - right[entry]!) / unit;
    // what is not a number is infinitely wrong
    if (!(error <= most)) most = Number.isNaN(error) ? Infinity : error;
  }
  return most;
};

/** Gradients as the runtime returns them, by tensor or by input, one after the other. */
function flattened(
  compiled: Compiled,
  tables: readonly Tensor[],
  batch: Batch,
): ReadonlyMap<string, Float64Array> {
  const byInput = new Map(
    compiled.program.gradients.map(
      ({ input }, n) => [input.name, expand(tables[n]!, input.axes, batch)] as const,
    ),
  );
  const flat = new Map<string, Float64Array>();
  for (const [name, table] of byInput) {
    const binding = batch.inputs[name]!;
    if (binding.height !== "logits") flat.set(name, table.data);
    else if (!flat.has(binding.tensor.name))
      flat.set(
        binding.tensor.name,
        scatterRows(binding.tensor, Object.fromEntries(byInput), batch),
      );
  }
  return flat;
}

/** Loss and gradients as written: nothing of the compiler's rewriting is in them. */
const written = new WeakMap<Compiled, readonly Node[]>();
const rootsOf = (compiled: Compiled): readonly Node[] => {
  const { program } = compiled;
  const known = written.get(compiled) ?? [
    program.loss,
    ...gradient(
      program.loss,
      program.gradients.map(({ input }) => input),
    ),
  ];
  written.set(compiled, known);
  return known;
};

/** Runs one batch three ways. */
export async function measure(compiled: Compiled, batch: Batch): Promise<Measured> {
  const roots = rootsOf(compiled);
  const [loss, ...slopes] = evaluate(roots, batch, {});
  const right = loss!.data[0]!;
  const truth = flattened(compiled, slopes, batch);
  const unit = ulp(Math.max(...[...truth.values()].map(largest)));
  const errors = (value: number, given: (name: string) => ArrayLike<number>): Errors => ({
    loss: apart([value], [right], ulp(right)),
    gradient: Math.max(...[...truth].map(([name, values]) => apart(given(name), values, unit))),
  });
  const [naiveLoss, ...naiveSlopes] = naive(roots, batch, {});
  const plain = flattened(compiled, naiveSlopes, batch);
  const result = await compiled.valueAndGrad(batch);
  return {
    gpu: errors(result.loss, (name) => result.gradients[name] as Float32Array),
    naive: errors(naiveLoss!.data[0]!, (name) => plain.get(name)!),
  };
}
