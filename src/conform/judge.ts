// Whether an engine's results are those that a golden file records. The measure and the accepted errors are those of
// src/check/error.ts; this file says what is compared with what, and what cannot be.

import {
  acceptedGpuError,
  gradientError,
  interpreterTolerance,
  lossError,
  smallestScale,
} from "../check/error.ts";
import type { Computed, EngineName } from "./engine.ts";
import type { SourceRun } from "./golden.ts";
import { isGiven } from "./golden.ts";
import { tensor } from "./place.ts";
import type { Expected } from "./recorded.ts";

export interface Judgement {
  readonly engine: EngineName;
  /** Errors of the loss and of the gradient, the latter relative to its largest entry. */
  readonly loss: number;
  readonly gradient: number;
  readonly accepted: { readonly loss: number; readonly gradient: number };
  /** The errors of everything else that is recorded. */
  readonly others: Readonly<Record<string, number>>;
  /** What is wrong, a clause each; empty when the file passes. */
  readonly failures: readonly string[];
  /** What could not be compared. */
  readonly notes: readonly string[];
}

/** The source's own errors in float32, in the same measure; 0 where the file does not record them. */
export interface SourceErrors {
  readonly loss: number;
  readonly gradient: number;
  readonly perExample: number;
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );

export function sourceErrors(source: SourceRun | null, expected: Expected): SourceErrors {
  if (source === null) return { loss: 0, gradient: 0, perExample: 0 };
  const { perExample } = expected;
  const recorded = source.perExample;
  return {
    loss: lossError(source.loss, expected.loss),
    gradient: source.gradientDifference / Math.max(largest(expected.gradient), smallestScale),
    perExample:
      perExample === null || !isGiven(recorded)
        ? 0
        : gradientError(tensor(recorded, [perExample.length]), perExample),
  };
}

/**
 * An error whose denominator is the largest finite recorded value, or `scale` if that is larger. Recorded values that
 * are not finite are left out. What computes in float64 has no float32 range to respect, so its values are measured in units
 * of the recorded ones, however small those are.
 */
function errorOf(
  engine: EngineName,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: number = 0,
): number {
  if (actual.length !== expected.length) return Infinity;
  const kept = Array.from(expected, (_, position) => position).filter((position) =>
    Number.isFinite(expected[position]),
  );
  const size = Math.max(scale, largest(expected));
  const unit = engine !== "gpu" && size > 0 ? size : 1;
  // the scale takes part as one more entry, on which both sides agree
  const pick = (values: ArrayLike<number>): number[] =>
    [...kept.map((position) => values[position]!), size].map((value) => value / unit);
  return gradientError(pick(actual), pick(expected));
}

interface Comparison {
  readonly name: string;
  readonly error: number;
  readonly accepted: number;
}

const brief = (value: number): string => value.toExponential(1);

export function judge(
  engine: EngineName,
  computed: Computed,
  expected: Expected,
  source: SourceErrors,
): Judgement {
  const exact = engine !== "gpu" && !expected.isSingle;
  const bar = (sourceError: number): number =>
    exact ? interpreterTolerance : acceptedGpuError(sourceError);
  const notes: string[] = [];
  const compare = (
    name: string,
    actual: ArrayLike<number>,
    right: ArrayLike<number>,
    accepted: number,
    scale?: number,
  ): Comparison => {
    const skipped = Array.from(right).filter((value) => !Number.isFinite(value)).length;
    if (skipped > 0)
      notes.push(
        `${name}: ${skipped} recorded ${skipped === 1 ? "value is" : "values are"} not finite and not compared`,
      );
    return { name, error: errorOf(engine, actual, right, scale), accepted };
  };

  // an average is rounded as the numbers that it averages, which may cancel
  const each = Array.from(exact ? (computed.perExample ?? []) : [], Math.abs);
  const terms = each.reduce((sum, size) => sum + size, 0) / Math.max(1, each.length);
  const loss = compare("loss", [computed.loss], [expected.loss], bar(source.loss), terms);
  const lost = expected.lost / Math.max(largest(expected.gradient), smallestScale);
  const known = Math.max(bar(source.gradient), lost);
  if (lost > bar(source.gradient))
    notes.push(`gradient: the source cancels all but ${brief(lost)} of its largest entry`);
  const gradient = compare("gradient", computed.gradient, expected.gradient, known);
  const others: Comparison[] = [];
  if (expected.perExample !== null && computed.perExample !== undefined) {
    // a loss over the whole batch is recorded once for every pair
    const each = computed.perExample ?? expected.perExample.map(() => computed.loss);
    others.push(
      compare(
        "per_pair_loss",
        each,
        expected.perExample,
        bar(Math.max(source.perExample, source.loss)),
      ),
    );
  }
  // log-probabilities near 0 are recorded with the rounding of their logits, which is no error of prefc
  const own = exact || expected.isSingle ? expected.rounding / bar(0) : 0;
  const lists = (
    actual: Readonly<Record<string, ArrayLike<number>>>,
    right: Readonly<Record<string, Float64Array>>,
  ): void => {
    for (const [name, values] of Object.entries(right)) {
      if (Object.hasOwn(actual, name))
        others.push(compare(name, actual[name]!, values, bar(0), own));
    }
  };
  lists(computed.quantities, expected.quantities);
  lists(computed.metrics, expected.metrics);
  for (const [name, { value, scale }] of Object.entries(expected.averages)) {
    if (Object.hasOwn(computed.averages, name))
      others.push(
        compare(name, [computed.averages[name]!], [value], bar(source.loss), Math.max(scale, own)),
      );
  }

  const failures = [loss, gradient, ...others]
    .filter(({ error, accepted }) => !(error <= accepted))
    .map(
      ({ name, error, accepted }) =>
        `${engine}: ${name} is off by ${brief(error)}, and ${brief(accepted)} is accepted`,
    );
  return {
    engine,
    loss: loss.error,
    gradient: gradient.error,
    accepted: { loss: loss.accepted, gradient: gradient.accepted },
    others: Object.fromEntries(
      others.map(({ name }) => [
        name,
        Math.max(...others.filter((other) => other.name === name).map(({ error }) => error)),
      ]),
    ),
    failures,
    notes,
  };
}
