// How well float32 can know an objective on a batch. A kernel is allowed log π(y_t) to 2^-20: the bound of a logarithm of
// WGSL and of a sum of its exponentials. (Row programs take logarithms in pairs since, so this is generous.) Where a small move of that size changes the loss or the
// gradient by more than the usual bound (a margin of hundreds, a sigmoid that cancels against another), no
// kernel in float32 can do better, so what a GPU may be off grows with it.

import type { Batch, LogitsTensor, Params } from "../batch/batch.ts";
import { numbersIn, vocabOf } from "../batch/logits.ts";
import { gradient } from "../ad/gradient.ts";
import type { Program } from "../pipeline/pipeline.ts";
import type { Input } from "../core/node.ts";
import type { Frozen } from "../kinks/frozen.ts";
import type { Compiled } from "../compile/compile.ts";
import { interpret, type GpuErrors, type Interpreted, type Truth } from "./compare.ts";
import { acceptedGpuError, gradientError, lossError, metricError } from "./error.ts";

/** What is left unknown of a log-probability. */
const unknown = 2 ** -20;
/** The other tokens and models may be off in the same direction, or by a little more. */
const margin = 4;

/** The batch with the label's logit of every token of one response moved up. */
function moved(batch: Batch, { name, datum }: Input): Batch {
  const binding = batch.inputs[name]!;
  const numbers = binding.height === "logits" ? numbersIn(binding.tensor) : null;
  if (binding.height !== "logits" || numbers === null || datum.kind !== "logits") return batch;
  const { labels } = batch.responses[datum.response]!;
  const data = Float64Array.from(numbers);
  binding.rowIndex.forEach((row, token) => {
    data[row * vocabOf(binding.tensor, batch) + labels[token]!]! += unknown;
  });
  const tensor: LogitsTensor = { ...binding.tensor, data, dtype: "f32" };
  return { ...batch, inputs: { ...batch.inputs, [name]: { ...binding, tensor } } };
}

const entries = ({ gradients, paramGradients }: Truth): readonly number[] => [
  ...gradients.flatMap(({ gradient }) => [...gradient.data]),
  ...paramGradients.map(({ slope }) => slope),
];

/** A program whose decisions at kinks are made: what it is near a batch, on the side that the derivative takes. */
function steadied(program: Program, { loss, decided }: Frozen): Interpreted {
  if (decided.size === 0) return program;
  const [inputs, learned] = [
    program.gradients.map(({ input }) => input),
    program.paramGradients.map(({ param }) => param),
  ];
  const slopes = gradient(loss, [...inputs, ...learned]);
  return {
    loss,
    metrics: program.metrics,
    gradients: inputs.map((input, n) => ({ input, node: slopes[n]! })),
    paramGradients: learned.map((param, n) => ({ param, node: slopes[inputs.length + n]! })),
  };
}

/**
 * The errors that a GPU may have on this batch: 1e-5, or more where the objective is badly conditioned. A kink that the batch
 * lies on is no bad conditioning: its side is the one that `frozen` says.
 */
export function acceptedErrors(
  compiled: Compiled,
  batch: Batch,
  params: Params,
  truth: Truth,
  frozen?: Frozen,
): GpuErrors {
  const { program } = compiled;
  const steady = frozen === undefined ? program : steadied(program, frozen);
  const decided = frozen?.decided;

  const expected = entries(truth);
  let [loss, gradient, metrics] = [0, 0, 0];
  for (const input of program.inputs) {
    if (input.datum.kind !== "logits") continue;
    const other = interpret({ program: steady }, moved(batch, input), params, decided);
    loss += lossError(other.loss, truth.loss);
    gradient += gradientError(entries(other), expected);
    metrics += Math.max(
      0,
      ...Object.entries(truth.metrics).map(([key, value]) =>
        metricError(other.metrics[key]!, value),
      ),
    );
  }
  const accepted = (error: number): number =>
    Math.max(acceptedGpuError(), Number.isFinite(error) ? margin * error : 0);
  return { loss: accepted(loss), gradient: accepted(gradient), metrics: accepted(metrics) };
}
