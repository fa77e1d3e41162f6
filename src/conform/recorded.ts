// What a golden file says the results are, under the names that the engines use. Lists have one number per example;
// averages are what an objective reports as metrics.

import { isGiven, type Golden } from "./golden.ts";
import { member, members, real, tensor } from "./place.ts";
import { metricOf } from "./quantities.ts";
import type { Reading } from "./names.ts";

/** A metric's recorded value, and the size of the numbers that it is computed from. */
export interface Average {
  readonly value: number;
  readonly scale: number;
}

export interface Expected {
  readonly loss: number;
  /** [rows, T, V] */
  readonly gradient: Float64Array;
  /** The loss of each example, where it is recorded. */
  readonly perExample: Float64Array | null;
  /** Recorded quantities that have an expression. */
  readonly quantities: Readonly<Record<string, Float64Array>>;
  /** Recorded values per example of metrics that the objective reports, by metric. */
  readonly metrics: Readonly<Record<string, Float64Array>>;
  /** Recorded averages of metrics that the objective reports. */
  readonly averages: Readonly<Record<string, Average>>;
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

export function expectedOf(golden: Golden, { objective, quantities }: Reading, gradient: Float64Array): Expected {
  const { outputs, shapes } = golden;
  const list = (name: string): Float64Array | null => {
    const place = member(outputs, name);
    return isGiven(place) ? tensor(place, [shapes.examples]) : null;
  };
  const lists = (names: readonly (readonly [recorded: string, name: string])[]): Record<string, Float64Array> =>
    Object.fromEntries(
      names.flatMap(([recorded, name]) => {
        const values = list(recorded);
        return values === null ? [] : [[name, values] as const];
      }),
    );
  const reported = (name: string): boolean => Object.hasOwn(objective.metrics, name);

  const metrics = lists(Object.entries(metricOf).filter(([, metric]) => reported(metric)));
  const averaged = Object.entries(metrics).map(([name, values]) => [name, { value: mean(values), scale: largest(values) }] as const);
  const place = member(outputs, "metrics");
  const stated = (isGiven(place) ? members(place) : [])
    .filter(([name]) => reported(name))
    .map(([name, at]) => {
      const value = real(at);
      return [name, { value, scale: Math.max(Math.abs(value), largest(metrics[name] ?? new Float64Array())) }] as const;
    });

  return {
    loss: golden.loss,
    gradient,
    perExample: list("per_pair_loss"),
    quantities: lists(Object.keys(quantities).map((name) => [name, name])),
    metrics,
    averages: Object.fromEntries([...averaged, ...stated]),
  };
}
