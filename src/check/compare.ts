// What an objective's value, metrics and gradients are on a batch according to the interpreter, and how far
// central differences and a GPU are from that.

import type { Batch, Params } from "../batch/batch.ts";
import { isDifferentiated } from "../core/inputs.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { gradientName, type Program } from "../pipeline/pipeline.ts";
import { evaluate } from "../reference/interpret.ts";
import { expand, scatterRows, type Tensor } from "../reference/tensor.ts";
import type { Compiled } from "../compile/compile.ts";
import { differences, paramDifference } from "./differences.ts";
import { differencesTolerance, gradientError, lossError, metricError } from "./error.ts";
import type { Random } from "../sample/random.ts";
import { movedBySides, type AtKinks, type Slack } from "./kinks.ts";
import { unroundedAll } from "./unrounded.ts";

const nothing: Tensor = { axes: [], data: Float64Array.of(0) };

/** What is interpreted of a program. */
export type Interpreted = Pick<Program, "loss" | "metrics" | "gradients" | "paramGradients">;

/** What the interpreter says. */
export interface Truth {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** By input, over the axes of the input. */
  readonly gradients: readonly { readonly input: Input; readonly gradient: Tensor }[];
  /** By parameter that is learned. */
  readonly paramGradients: readonly { readonly param: Param; readonly slope: number }[];
  /** The largest entry of all gradients. */
  readonly largest: number;
}

/** One number for each of what a GPU computes: an error, or the largest that is accepted. */
export interface GpuErrors {
  readonly loss: number;
  readonly gradient: number;
  readonly metrics: number;
}
/** The errors of a run, and those that remain whichever side of a kink is taken. */
export interface GpuRun extends GpuErrors {
  readonly either: Pick<GpuErrors, "loss" | "gradient">;
}

/**
 * Interprets the loss, the metrics and every gradient. `held` gives some nodes a value instead of computing it.
 * @throws PrefcError what `evaluate` throws
 */
export function interpret(
  { program }: { readonly program: Interpreted },
  batch: Batch,
  params: Params,
  held?: ReadonlyMap<Node, Tensor>,
): Truth {
  const names = Object.keys(program.metrics);
  const roots = [
    program.loss,
    ...names.map((name) => program.metrics[name]!),
    ...program.gradients.map(({ node }) => node),
    ...program.paramGradients.map(({ node }) => node),
  ];
  const values = evaluate(roots, batch, params, held);
  const gradients = program.gradients.map(({ input }, position) => ({
    input,
    gradient: expand(values[1 + names.length + position]!, input.axes, batch),
  }));
  const first = 1 + names.length + gradients.length;
  const paramGradients = program.paramGradients.map(({ param }, position) => ({
    param,
    slope: values[first + position]!.data[0]!,
  }));
  const slopes = [
    ...gradients.map(({ gradient }) => gradient.data),
    Float64Array.from(paramGradients, ({ slope }) => slope),
  ];
  return {
    loss: values[0]!.data[0]!,
    metrics: Object.fromEntries(
      names.map((name, position) => [name, values[1 + position]!.data[0]!]),
    ),
    gradients,
    paramGradients,
    largest: slopes.reduce(
      (largest, data) => data.reduce((top, g) => Math.max(top, Math.abs(g)), largest),
      0,
    ),
  };
}

/** A derivative against a difference: how far they are apart, and how far they may be, relative to the largest gradient. */
interface Compared {
  readonly error: number;
  /** The tolerance of derivatives, and what the rounding of the loss over the step may add. */
  readonly accepted: number;
  readonly where: string;
}

const isWorse = (error: number, accepted: number, than: Compared): boolean =>
  !(error / accepted <= than.error / than.accepted);

/**
 * The largest error of the gradient against differences at random entries of each input, and the entry. An input whose gradient
 * was found to be 0 everywhere is no exception: a derivative that is lost looks the same. Decisions at kinks are frozen.
 */
export function againstDifferences(
  { program }: Compiled,
  batch: Batch,
  params: Params,
  truth: Truth,
  { frozen: { loss, held }, slack }: Pick<AtKinks, "frozen" | "slack">,
  moves: number,
  source: Random,
): Compared {
  let worst: Compared = { error: 0, accepted: differencesTolerance, where: "" };
  const derived = new Map(truth.gradients.map(({ input, gradient }) => [input, gradient]));
  for (const input of program.inputs.filter(isDifferentiated)) {
    const gradient = derived.get(input) ?? expand(nothing, input.axes, batch);
    const slope = differences(loss, input, batch, params, held, truth);
    for (const position of positions(input, gradient.data.length, batch, moves, source)) {
      // the largest entry of the whole gradient is what an entry is measured against
      const found = slope.at(position);
      const error = gradientError(
        [gradient.data[position]!, truth.largest],
        [found.slope, truth.largest],
      );
      // the step is wider than what decides a kink by rounding
      const side = Math.abs(slack.slopes.get(input)?.data[position] ?? 0);
      const rounding = truth.largest > 0 ? (found.rounding + side) / truth.largest : 0;
      const accepted = differencesTolerance + rounding;
      if (isWorse(error, accepted, worst))
        worst = { error, accepted, where: `${input.name} at entry ${position}` };
    }
  }
  for (const { param, slope } of truth.paramGradients) {
    const [right] = [paramDifference(loss, param, batch, params, held)];
    const error = gradientError([slope, truth.largest], [right, truth.largest]);
    if (isWorse(error, differencesTolerance, worst))
      worst = { error, accepted: differencesTolerance, where: `the parameter ${cite(param.name)}` };
  }
  return worst;
}

/** Entries to move: labels, where a gradient is largest, and any others. */
function positions(
  input: Input,
  length: number,
  batch: Batch,
  moves: number,
  source: Random,
): readonly number[] {
  const chosen = Array.from({ length: moves }, () => source.integer(0, length - 1));
  if (input.datum.kind !== "logits") return chosen;
  const { labels } = batch.responses[input.datum.response]!;
  const token = source.integer(0, labels.length - 1);
  return [token * batch.vocab + labels[token]!, ...chosen];
}

/**
 * Errors of a GPU run, in both directions, against the interpreter: of a gradient before it was rounded to 16 bits. `slack`
 * is how far an entry of a gradient may be off where engines take different sides of a kink.
 */
export async function againstGpu(
  compiled: Compiled,
  batch: Batch,
  params: Params,
  truth: Truth,
  slack: Slack,
): Promise<GpuRun> {
  const { loss, metrics, gradients } = await compiled.valueAndGrad(batch, { params });
  const alone = await compiled.value(batch, { params });
  const named = Object.fromEntries(
    truth.gradients.map(({ input, gradient }) => [input.name, gradient]),
  );
  const tensors = new Map(
    Object.keys(named).flatMap((name) => {
      const binding = batch.inputs[name]!;
      return binding.height === "logits" ? [[binding.tensor.name, binding.tensor] as const] : [];
    }),
  );
  const actual: number[] = [];
  const expected: number[] = [];
  const either: number[] = [];
  const slacks = Object.fromEntries([...slack.slopes].map(([input, data]) => [input.name, data]));
  const ofParams = new Map(
    truth.paramGradients.map(({ param, slope }) => [gradientName(param), Float64Array.of(slope)]),
  );
  for (const [name, given] of Object.entries(gradients)) {
    const tensor = tensors.get(name);
    const right =
      ofParams.get(name) ??
      (tensor === undefined ? named[name]!.data : scatterRows(tensor, named, batch));
    const { dtype } = tensor ?? {};
    const computed =
      given instanceof Uint16Array && dtype !== undefined && dtype !== "f32"
        ? unroundedAll(given, dtype, right)
        : (given as Float32Array);
    const off =
      ofParams.has(name) || slack.slopes.size === 0
        ? new Float64Array(right.length)
        : tensor === undefined
          ? slacks[name]!.data
          : scatterRows(tensor, slacks, batch);
    for (const value of right) expected.push(value);
    for (const value of computed) actual.push(value);
    right.forEach((value, n) => either.push(movedBySides(computed[n]!, value, off[n]!)));
  }
  const reported = Object.entries(truth.metrics).flatMap(([name, value]) => [
    metricError(metrics[name]!, value),
    metricError(alone.metrics[name]!, value),
  ]);
  return {
    loss: Math.max(lossError(loss, truth.loss), lossError(alone.loss, truth.loss)),
    gradient: gradientError(actual, expected),
    either: {
      loss: Math.max(
        ...[loss, alone.loss].map((one) =>
          lossError(movedBySides(one, truth.loss, slack.loss), truth.loss),
        ),
      ),
      gradient: gradientError(either, expected),
    },
    metrics: Math.max(0, ...reported),
  };
}
