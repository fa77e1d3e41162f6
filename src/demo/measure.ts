// Runs one objective on one batch, on the GPU and in the interpreter, and measures how far they are apart and how long
// it took. Printing is left to the report.
import { performance } from "node:perf_hooks";
import {
  evaluate,
  type Batch,
  type Compiled,
  type LogitsTensor,
  type Params,
  type Value,
} from "../index.ts";
import { gradientError, lossError } from "../check/error.ts";
import { scatterRows, type Tensor } from "../reference/tensor.ts";

/** What an engine computes of an objective on a batch. */
export interface Outcome extends Omit<Value, "state" | "counts"> {
  /** d loss / d policy_logits, [rows · V]. */
  readonly gradient: Float32Array | Float64Array;
}
export interface Measured {
  readonly gpu: Outcome;
  readonly interpreter: Outcome;
  /** Milliseconds of the first run, and the median of the later ones; gradients stay on the GPU in those. */
  readonly first: number;
  readonly median: number;
}

/** Relative errors: of the loss, and of the gradient measured by its largest entry. */
export interface Errors {
  readonly loss: number;
  readonly gradient: number;
}

export const between = (
  found: Outcome,
  expected: { readonly loss: number; readonly gradient: ArrayLike<number> },
): Errors => ({
  loss: lossError(found.loss, expected.loss),
  gradient: gradientError(found.gradient, expected.gradient),
});

const laterRuns = 5;

const now = (): number => performance.now();

/** The objective as the interpreter reads it, in float64. */
function interpret({ program }: Compiled, batch: Batch, params: Params): Outcome {
  const names = Object.keys(program.metrics);
  const [loss, ...rest] = evaluate(
    [
      program.loss,
      ...names.map((name) => program.metrics[name]!),
      ...program.gradients.map(({ node }) => node),
    ],
    batch,
    params,
  ) as readonly [Tensor, ...Tensor[]];
  const gradients = Object.fromEntries(
    program.gradients.map(({ input }, n) => [input.name, rest[names.length + n]!]),
  );
  return {
    loss: loss.data[0]!,
    metrics: Object.fromEntries(names.map((name, n) => [name, rest[n]!.data[0]!])),
    gradient: scatterRows(policyTensor(batch), gradients, batch),
  };
}

/** The one tensor of policy logits that both responses share in TRL's layout. */
function policyTensor(batch: Batch): LogitsTensor {
  const binding = Object.values(batch.inputs).find(
    (candidate) => candidate.height === "logits" && candidate.tensor.name === "policy",
  );
  return (binding as Extract<typeof binding, { height: "logits" }>).tensor;
}

/** Runs the objective: once for the numbers, a few times more for the clock, and once in the interpreter. */
export async function measure(compiled: Compiled, batch: Batch, params: Params): Promise<Measured> {
  const start = now();
  const { loss, metrics, gradients } = await compiled.valueAndGrad(batch, { params });
  const first = now() - start;
  const times: number[] = [];
  for (let run = 0; run < laterRuns; run++) {
    const before = now();
    await compiled.valueAndGrad(batch, { params, gradients: "keep" });
    times.push(now() - before);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(laterRuns / 2)]!;
  return {
    gpu: { loss, metrics, gradient: gradients["policy"] as Float32Array },
    interpreter: interpret(compiled, batch, params),
    first,
    median,
  };
}
