// What a golden file says the results are, under the names that the engines use. Lists have one number per example;
// averages are what an objective reports as metrics.

import type { Batch } from "../batch/batch.ts";
import { isGiven, type Golden, type Shapes } from "./golden.ts";
import type { Recorded } from "./layout.ts";
import { entries, member, members, real, tensor, type Place } from "./place.ts";
import { metricOf } from "./quantities.ts";
import type { Reading } from "./names.ts";

/** A metric's recorded value, and the size of the numbers that it is computed from. */
export interface Average {
  readonly value: number;
  readonly scale: number;
}

export interface Expected {
  readonly loss: number;
  /** Whether the source ran in float32, so that its own roundings are those of float32. */
  readonly isSingle: boolean;
  /** What cancellation in the source's float64 leaves unknown of the gradient. */
  readonly lost: number;
  /**
   * What the source itself cannot tell apart in a log-probability: it subtracts log Σ e^z from a logit, so some
   * roundings of the largest logit remain, 2^-52 of it in float64, however close to 0 the log-probability is.
   */
  readonly rounding: number;
  /** [rows, T, V] */
  readonly gradient: Float64Array;
  /** The loss of each example, where it is recorded. */
  readonly perExample: Float64Array | null;
  /** Recorded quantities that have an expression, one number per example, or one that is their average. */
  readonly quantities: Readonly<Record<string, Float64Array>>;
  /** Recorded values per example of metrics that the objective reports, by metric. */
  readonly metrics: Readonly<Record<string, Float64Array>>;
  /** Recorded averages of metrics that the objective reports. */
  readonly averages: Readonly<Record<string, Average>>;
}

function largestLogit({ inputs }: Batch): number {
  const sizes = Object.values(inputs).map((binding) =>
    binding.height === "logits" && binding.tensor.data instanceof Float64Array
      ? largest(binding.tensor.data.filter(Number.isFinite))
      : 0,
  );
  return Math.max(0, ...sizes);
}

/** A completion's log-probability adds up as many differences as it has tokens; each is rounded a few times. */
const roundings = 64;

const mean = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * The size of the rewards' operands. A reward is β times the difference of two log-probabilities, which may be close
 * to each other; float32 rounds the operands, so an error is judged by their size and not by what is left of them.
 */
function rewardScale(outputs: Place, beta: number, { examples, length }: Shapes): number {
  const listed = ["chosen_logps", "rejected_logps", "ref_chosen_logps", "ref_rejected_logps"]
    .map((name) => member(outputs, name))
    .filter(isGiven)
    .map((place) => largest(Float64Array.from(entries(place), real)));
  const byRow = ["logps", "weighted_logps"]
    .map((name) => member(outputs, name))
    .filter(isGiven)
    .map((place) => largest(tensor(place, [2 * examples])));
  const byToken = ["policy_token_logps", "ref_token_logps"]
    .map((name) => member(outputs, name))
    .filter(isGiven)
    .flatMap((place) => {
      const values = tensor(place, [2 * examples, length - 1]);
      return Array.from({ length: 2 * examples }, (_, row) =>
        values
          .subarray(row * (length - 1), (row + 1) * (length - 1))
          .reduce((sum, value) => sum + Math.abs(value), 0),
      );
    });
  return Math.abs(beta) * Math.max(0, ...listed, ...byRow, ...byToken);
}

export function expectedOf(
  golden: Golden,
  { objective, params, quantities, lost }: Reading,
  { batch, gradient }: Recorded,
): Expected {
  const { outputs, shapes } = golden;
  const isSingle = golden.dtype === "float32";
  const place = member(outputs, "metrics");
  const list = (name: string): Float64Array | null => {
    const at = member(outputs, name);
    return isGiven(at) ? tensor(at, [shapes.examples]) : null;
  };
  // a recorded name that has an expression of its own is that, and the metric only if that is the same expression
  const compared = (recorded: string, metric: string): boolean =>
    Object.hasOwn(objective.metrics, metric) &&
    [recorded, metric].every(
      (name) => !Object.hasOwn(quantities, name) || quantities[name] === objective.metrics[metric],
    );

  const scaleOf = (metric: string): number =>
    metric.startsWith("rewards/") ? rewardScale(outputs, params["beta"] ?? 0, shapes) : 0;
  const metrics = recordOf(Object.entries(metricOf), ([recorded, metric]) =>
    compared(recorded, metric) ? [metric, list(recorded)] : null,
  );
  const averaged = Object.entries(metrics).map(([metric, values]): readonly [string, Average] => [
    metric,
    { value: mean(values), scale: Math.max(largest(values), scaleOf(metric)) },
  ]);
  const stated = (isGiven(place) ? members(place) : []).flatMap(
    ([metric, at]): readonly (readonly [string, Average])[] =>
      compared(metric, metric)
        ? [
            [
              metric,
              {
                value: real(at),
                scale: Math.max(largest(metrics[metric] ?? new Float64Array()), scaleOf(metric)),
              },
            ],
          ]
        : [],
  );

  return {
    loss: golden.loss,
    isSingle,
    lost,
    rounding: roundings * (isSingle ? 2 ** -24 : 2 ** -52) * largestLogit(batch),
    gradient,
    perExample: Object.hasOwn(quantities, "per_pair_loss") ? null : list("per_pair_loss"),
    quantities: recordOf(Object.keys(quantities), (name) => {
      if (quantities[name] === null) return null;
      const inMetrics = isGiven(place) ? member(place, name) : place;
      return [name, list(name) ?? (isGiven(inMetrics) ? Float64Array.of(real(inMetrics)) : null)];
    }),
    metrics,
    averages: Object.fromEntries([...averaged, ...stated]),
  };
}

/** The entries that are there, by name. */
function recordOf<T>(
  sources: readonly T[],
  read: (source: T) => readonly [name: string, values: Float64Array | null] | null,
): Readonly<Record<string, Float64Array>> {
  return Object.fromEntries(
    sources.flatMap((source): readonly (readonly [string, Float64Array])[] => {
      const [name, values] = read(source) ?? ["", null];
      return values === null ? [] : [[name, values]];
    }),
  );
}
